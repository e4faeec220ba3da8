/** A server of PostgreSQL for a test, from Debian's packages or what else is installed. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Postgres {
  /** To connect to a database in it by. */
  url(database: string): string
  /** Runs SQL in the database `postgres`. */
  run(sql: string): void
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
}

const DEBIAN = '/usr/lib/postgresql'
/** Of postgres, which refuses to be root. */
const NOBODY = 65534

/** The folder with initdb, postgres and psql; undefined where they are not installed. */
function binaries(): string | undefined {
  const versions = existsSync(DEBIAN)
    ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a))
    : []
  return versions
    .map((version) => `${DEBIAN}/${version}/bin`)
    .find((bin) => existsSync(`${bin}/initdb`))
}

/** Commands before those of postgres that make them run as somebody who is not root. */
function wrappers(): string[][] {
  if (process.getuid?.() !== 0) return [[]]
  return [
    ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
    // Where nobody may not write to /dev/null: root, under another number.
    ['unshare', '--user', '--map-user=1000'],
  ]
}

/** Starts a server of its own, on a socket in a temporary folder, or says why it cannot. */
export async function startPostgres(): Promise<Postgres | string> {
  const bin = binaries()
  if (bin === undefined) return 'PostgreSQL is not installed (Debian: apt-get install postgresql)'
  const failures: unknown[] = []
  for (const wrapper of wrappers()) {
    const folder = mkdtempSync(join(tmpdir(), 'pg-'))
    const isNobody = wrapper[0] === 'setpriv'
    if (isNobody) execFileSync('chown', [`${NOBODY}`, folder])
    chmodSync(folder, 0o700)
    const run = (name: string, ...args: string[]) => {
      const [command, ...rest] = [...wrapper, `${bin}/${name}`, ...args]
      return { command, rest }
    }
    const data = join(folder, 'data')
    try {
      const { command, rest } = run(
        'initdb',
        '-D',
        data,
        '-A',
        'trust',
        '-U',
        'tester',
        '--no-sync',
      )
      execFileSync(command, [...rest, '-E', 'UTF8', '--locale=C'], { cwd: folder, stdio: 'pipe' })
    } catch (error) {
      failures.push(error)
      rmSync(folder, { recursive: true, force: true })
      continue
    }
    return start(bin, folder, run('postgres', '-D', data, '-k', folder, '-c', 'listen_addresses='))
  }
  return `initdb cannot be run here: ${failures.map(String).join(' ').slice(0, 300)}`
}

async function start(
  bin: string,
  folder: string,
  { command, rest }: { command: string; rest: string[] },
): Promise<Postgres> {
  const server = spawn(command, [...rest, '-c', 'fsync=off'], { cwd: folder })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let log = ''
    server.stderr.on('data', (piece) => {
      log += piece
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${log}`)))
  })
  const psql = ['-h', folder, '-U', 'tester', '-d', 'postgres', '-q', '-v', 'ON_ERROR_STOP=1']
  return {
    url: (database) => `postgres://tester:secret@localhost/${database}?host=${folder}`,
    run: (sql) => {
      execFileSync(`${bin}/psql`, [...psql, '-c', sql], { stdio: 'pipe' })
    },
    kill: async () => {
      server.kill('SIGQUIT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
