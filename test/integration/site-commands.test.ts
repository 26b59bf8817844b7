import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesOf, Folder } from '../../peer/test/manifest/folder.js'
import { Command, type Exit } from './command.js'

/** Runs one command line to its end. */
function run(...args: string[]): Promise<Exit> {
  return new Command(args).exited
}

describe('the command lines for a site', function () {
  this.timeout(60_000)
  let folder: Folder
  beforeEach(async () => {
    folder = await Folder.of({
      'a.png': bytesOf(30_000),
      'app.js': bytesOf(9_970),
      'index.html': '<head></head><img src="a.png">'
    })
  })
  afterEach(() => folder.remove())

  it('make a manifest and rewrite the documents, and say so', async () => {
    const made = await run('manifest', folder.path, '--base-url', '/')
    expect(made.code).to.equal(0)
    expect(made.stderr).to.equal(
      'mayfly: left out: 1 file, 10.0 kB: scripts (--scripts): "app.js" (10.0 kB)\n' +
        'mayfly: left out: 1 file, 0.0 kB: pages, and other documents: "index.html" (0.0 kB)\n'
    )
    expect(made.stdout).to.equal(
      `1 of 3 files, 0.0 of 0.0 MB (75.0 %) may travel\n1 hashed, 0 unchanged\nwritten: ${join(folder.path, 'mayfly-manifest.json')}\n`
    )
    const rewritten = await run('rewrite', folder.path, '--tag', 'wss://m.example')
    expect(rewritten).to.include({
      code: 0,
      stderr: 'mayfly: images of pages that may travel: 0 lazy, 1 at once; 0 of them with srcset\n',
      stdout: 'changed: index.html\n1 document, 1 changed; hashes: 1 added, 0 updated, 0 removed\n'
    })
    expect(await folder.text('index.html')).to.match(
      /"><\/script><\/head><img data-mayfly="[0-9a-f]{64}" src="a.png">$/
    )
    const disabled = await run('manifest', folder.path, '--disable')
    expect(disabled).to.include({ code: 0 })
    expect((await folder.json())['enabled']).to.equal(false)
  })

  it('prepare a folder: what travels, what does not and why, and a tag that its page can be sure of', async () => {
    await folder.write({
      'strict.html': `<!doctype html><meta http-equiv=content-security-policy content="script-src 'self'">`,
      'part.html': '<img src="a.png">',
      'old/page.html': '<html><p>x',
      'deep.html': '<b>'.repeat(5_000),
      'w.bin': bytesOf(7_000)
    })
    const args = ['prepare', folder.path, '--mediator', 'wss://m.example', '--no-tag', 'old/']
    const made = await run(...args, '--type', 'bin=application/octet-stream')
    expect(made.code).to.equal(0)
    expect(made.stdout)
      .to.match(/^2 of 8 files, /m)
      .and.match(/^1 page list$/m)
    expect(await folder.text('mayfly-pages/index.json')).to.equal('["a.png"]')
    expect(await folder.paths()).to.include('mayfly-pages/index.json')
    expect(made.stderr)
      .to.match(/^mayfly: left out: 1 file, 10.0 kB: scripts \(--scripts\): "app.js"/m)
      .and.match(/^mayfly: images of pages that may travel: 0 lazy, 2 at once; 0 of them with srcset$/m)
      .and.match(/^mayfly: "deep.html" is left as it is: its elements are too many, or nested too deep$/m)
    const loader = await folder.read('mayfly.js')
    const integrity = `sha384-${createHash('sha384').update(loader).digest('base64')}`
    expect(await folder.text('index.html')).to.include(
      `<script src="/mayfly.js" integrity="${integrity}" crossorigin="anonymous" data-mediators="wss://m.example"`
    )
    expect(await folder.text('part.html')).to.match(/^<img data-mayfly="[\da-f]{64}" src="a.png">$/)
    expect(await folder.text('old/page.html')).to.equal('<html><p>x')
    expect((await run(...args)).stdout).to.match(/ 0 changed; hashes: 0 added, 0 updated, 0 removed$/m)
    const inlined = await run(...args, '--inline', '--no-pages')
    expect(inlined.stdout).not.to.include('page list')
    expect(await readdir(folder.path)).not.to.include('mayfly-pages')
    expect(inlined.stderr).to.match(
      /^mayfly: their own policy refuses the loader in them: "strict.html" \(1\)$/m
    )
    expect(await folder.text('strict.html')).to.include('<script src="/mayfly.js" integrity="')
    expect(await folder.text('index.html'))
      .to.match(/^<head><script data-from="\/mayfly.js" data-mediators="wss:\/\/m.example" [^>]*>[^<]/)
      .and.include(loader.toString())
  })

  it('refuse wrong arguments in one line, with 2', async () => {
    const wrong = [
      ['manifest', 'a', '--revoke', 'xyz'],
      ['rewrite', 'a', '--tag', 'http://m.example'],
      ['rewrite', 'a', '--worker', '/w.js'],
      ['rewrite', 'a', '--eager-images', '3'],
      ['rewrite', 'a', '--lazy', '--eager-images', '-1'],
      ['prepare', 'a'],
      ['prepare', 'a', '--mediator', 'ws://m', '--type', 'bin=text/html'],
      ['prepare', 'a', '--mediator', 'ws://m', '--no-tag', ''],
      ['manifest', 'a', '--type', 'html=image/png'],
      ['manifest', 'a', '--no-type', '*'],
      ['prepare', 'a', '--mediator', 'ws://m', '--base-url', 'https://cdn.example/'],
      ['check', 'nowhere']
    ]
    const exits = await Promise.all(wrong.map(args => run(...args)))
    for (const [i, { code, stdout, stderr }] of exits.entries()) {
      expect(stderr, wrong[i]?.join(' ')).to.match(/^mayfly: .+\n$/)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
    }
  })

  it('tell what cannot be done in one line, with 1, and leave nothing behind', async () => {
    const before = await readdir(folder.path)
    const failing = [
      ['manifest', join(folder.path, 'none')],
      ['manifest', folder.path, '--rollback'],
      ['manifest', folder.path, '-o', join(folder.path, 'none/m.json')],
      ['rewrite', folder.path],
      ['prepare', join(folder.path, 'none'), '--mediator', 'ws://m.example']
    ]
    const exits = await Promise.all(failing.map(args => run(...args)))
    for (const [i, { code, stdout, stderr }] of exits.entries()) {
      expect(stderr, failing[i]?.join(' ')).to.match(/^mayfly: .+\n$/)
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
    }
    expect(await readdir(folder.path)).to.deep.equal(before)
    // The folder, not something in it.
    for (const i of [0, 4]) expect(exits[i]?.stderr).to.include(`${join(folder.path, 'none')}: no such file`)
    const checked = await run('check', 'http://127.0.0.1:1/')
    expect(checked).to.include({ code: 1, stderr: '' })
    expect(checked.stdout).to.match(/^problem {2}the page: .+\n {9}1 in the way\n$/)
  })
})
