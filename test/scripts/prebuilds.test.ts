/** What a prebuilt binary may need of the machine that loads it. */
import t from 'tap'
import { needsTooMuch } from '../../scripts/prebuilds/needs.mjs'

/** As objdump (binutils 2.40) writes it. */
const text = (libraries: string[], symbols: string[]) =>
  [
    ...libraries.map((name) => `  NEEDED               ${name}`),
    ...symbols.map((symbol) => `0000000000000000      DF *UND*\t0000000000000000 ${symbol}`),
  ].join('\n')

t.test('what Node itself needs', async (t) => {
  const libraries = ['libm.so.6', 'libgcc_s.so.1', 'libc.so.6', 'ld-linux-aarch64.so.1']
  const symbols = ['(GLIBC_2.2.5) cos', '(GLIBC_2.28) fcntl64', '(GCC_3.0) _Unwind_Resume']
  t.strictSame(needsTooMuch(text(libraries, symbols)), [])
})

t.test('more than that is named', async (t) => {
  const libraries = ['libopenblas.so.0', 'libstdc++.so.6', 'libc.so.6']
  const symbols = [
    '(GLIBC_2.34) dlopen',
    ' GLIBC_2.29  pow',
    '(GLIBCXX_3.4) _Znwm',
    '(GLIBC_2.3) x',
  ]
  t.strictSame(needsTooMuch(text(libraries, symbols)), [
    'it needs libopenblas.so.0',
    'it needs libstdc++.so.6',
    'dlopen is of GLIBC 2.34',
    'pow is of GLIBC 2.29',
    '_Znwm is of GLIBCXX 3.4',
  ])
})

t.test('text that says nothing of it is no good sign', async (t) => {
  t.strictSame(needsTooMuch('objdump: not found'), ['objdump says too little of it'])
})
