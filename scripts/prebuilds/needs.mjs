// What a prebuilt binary needs of the machine that loads it, read from what objdump says of it.

/** The newest versions that it may ask for: what Node's own binaries ask of glibc, and libgcc's of the time. */
const newest = { GLIBC: '2.28', GCC: '7.0' }

/** glibc's libraries, and the unwinder of libgcc, which Node has loaded. */
const libraries = /^(lib(c|m|dl|pthread)\.so\.\d|ld-linux-[\w-]+\.so\.\d|libgcc_s\.so\.1)$/

function isNewer(version, than) {
  const [[a, b], [c, d]] = [version, than].map((text) => text.split('.').map(Number))
  return a > c || (a === c && b > d)
}

/**
 * What the binary needs and a machine may not have.
 * @param text what `objdump -p -T` says
 * @returns {string[]}
 */
export function needsTooMuch(text) {
  const needed = [...text.matchAll(/^ +NEEDED +(\S+)$/gm)].map(([, name]) => name)
  const symbols = [...text.matchAll(/\*UND\*.*?\(?([A-Z]+)_([\d.]+)\)? +(\S+)$/gm)]
  if (needed.length === 0 || symbols.length === 0) return ['objdump says too little of it']
  return [
    ...needed.filter((name) => !libraries.test(name)).map((name) => `it needs ${name}`),
    ...symbols
      .filter(([, library, version]) => !newest[library] || isNewer(version, newest[library]))
      .map(([, library, version, name]) => `${name} is of ${library} ${version}`),
  ]
}
