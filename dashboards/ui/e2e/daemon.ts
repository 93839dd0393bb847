// The real daemon with its demo city, which has a hundred nights behind it, on free
// ports and a data folder of its own.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

export class Daemon {
  private child: ChildProcess | null = null;
  private said = '';

  private constructor(private readonly binary: string, private readonly data: string, private readonly http: number, private readonly mqtt: number) {}

  /** Builds (or takes LAMPLIGHTER_BIN) and starts a daemon on a data folder with a past. */
  static async start(): Promise<Daemon> {
    const data = mkdtempSync(join(tmpdir(), 'lamplighter-e2e-'));
    const binary = process.env['LAMPLIGHTER_BIN'] ?? join(data, 'lamplighter');
    if (!process.env['LAMPLIGHTER_BIN']) execFileSync('go', ['build', '-o', binary, './ingest'], { cwd: root, stdio: 'inherit' });
    execFileSync('go', ['run', 'dashboards/ui/e2e/past.go', join(data, 'city')], { cwd: root, stdio: 'inherit' });
    const daemon = new Daemon(binary, data, await freePort(), await freePort());
    await daemon.resume();
    return daemon;
  }

  get url(): string {
    return `http://127.0.0.1:${this.http}`;
  }

  get password(): string {
    return readFileSync(join(this.data, 'city', 'initial-admin-password'), 'utf8').trim();
  }

  /** Starts it again on the same address and data. */
  async resume(): Promise<void> {
    const child = spawn(this.binary, ['--demo', '--data', join(this.data, 'city'), '--http', `127.0.0.1:${this.http}`, '--mqtt', `127.0.0.1:${this.mqtt}`], { stdio: ['ignore', 'pipe', 'pipe'], env: plainEnvironment() });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => { this.said = (this.said + text.toString()).slice(-20_000); });
    this.child = child;
    for (const end = Date.now() + 60_000; ; ) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`the daemon did not come up:\n${this.said}`);
      if (await fetch(`${this.url}/-/ready`).then((r) => r.ok, () => false)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** kill -9, as a power cut would; stop ends it in peace. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.data, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The environment without keys that the daemon would take as configuration. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LAMPLIGHTER_')));
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? done(address.port) : failed(new Error('no port'))));
    });
  });
}
