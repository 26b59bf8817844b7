import { expect } from 'chai'
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
    expect(made).to.include({ code: 0, stderr: '' })
    expect(made.stdout).to.equal(
      `1 file, 0.0 MB of 0.0 (75.0 %) may travel\n1 hashed, 0 unchanged\nwritten: ${join(folder.path, 'mayfly-manifest.json')}\n`
    )
    const rewritten = await run('rewrite', folder.path, '--tag', 'wss://m.example')
    expect(rewritten).to.include({
      code: 0,
      stderr: '',
      stdout: 'changed: index.html\n1 document, 1 changed; hashes: 1 added, 0 updated, 0 removed\n'
    })
    expect(await folder.text('index.html')).to.match(
      /"><\/script><\/head><img data-mayfly="[0-9a-f]{64}" src="a.png">$/
    )
    const disabled = await run('manifest', folder.path, '--disable')
    expect(disabled).to.include({ code: 0 })
    expect((await folder.json())['enabled']).to.equal(false)
  })

  it('refuse wrong arguments in one line, with 2', async () => {
    const wrong = [
      ['manifest', 'a', '--revoke', 'xyz'],
      ['rewrite', 'a', '--tag', 'http://m.example'],
      ['rewrite', 'a', '--worker', '/w.js'],
      ['rewrite', 'a', '--eager-images', '3'],
      ['rewrite', 'a', '--lazy', '--eager-images', '-1'],
      ['prepare', 'a'],
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
    const checked = await run('check', 'http://127.0.0.1:1/')
    expect(checked).to.include({ code: 1, stderr: '' })
    expect(checked.stdout).to.match(/^problem {2}the page: .+\n {9}1 in the way\n$/)
  })
})
