// Loaded before a program: makes the writing of files slow, in small pieces.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const PIECE_BYTES = 1024
const { writeFileSync, writeSync, fsyncSync, renameSync, linkSync } = fs
const cell = new Int32Array(new SharedArrayBuffer(4))
const wait = () => Atomics.wait(cell, 0, 0, 2)

// The system, too, may take less than it is given.
fs.writeSync = (fd, data, offset, length) => {
  wait()
  return writeSync(fd, data, offset, Math.min(length, PIECE_BYTES))
}
fs.writeFileSync = (...args) => {
  wait()
  writeFileSync(...args)
}
fs.fsyncSync = (fd) => {
  fsyncSync(fd)
  wait()
}
fs.renameSync = (from, to) => {
  wait()
  renameSync(from, to)
  wait()
}
fs.linkSync = (from, to) => {
  wait()
  linkSync(from, to)
  wait()
}
syncBuiltinESMExports()
