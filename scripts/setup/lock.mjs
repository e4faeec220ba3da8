// One set-up at a time in a clone: two builds in one folder would spoil each other.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { inRoot, say } from './run.mjs'

const lockFile = inRoot('.setup-lock')

function holder() {
  try {
    return Number(readFileSync(lockFile, 'utf8'))
  } catch {
    return 0
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function tryLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/**
 * Waits for the lock and keeps it until this process ends. `afterCrash` tells that the last
 * holder was killed in the middle of its work, so that half-written files may lie about.
 */
export function takeLock() {
  let afterCrash = false
  let waiting = false
  while (!tryLock()) {
    const pid = holder()
    if (pid > 0 && !isAlive(pid)) {
      rmSync(lockFile, { force: true })
      afterCrash = true
    } else {
      if (!waiting) say(`waiting for another set-up, process ${pid} (its lock: ${lockFile})`)
      waiting = true
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  process.on('exit', () => rmSync(lockFile, { force: true }))
  // Ctrl-C ends the running command, which cleans up after itself, and through it this process.
  process.on('SIGINT', () => {})
  return { afterCrash }
}
