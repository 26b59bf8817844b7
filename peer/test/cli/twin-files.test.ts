import { expect } from 'chai'
import { TwinFiles, TwinSource } from '../../src/cli/twin-files.js'
import type { ByteSource } from '../../src/ports/byte-source.js'

const BYTES = Uint8Array.of(1, 2, 3)

describe('files of the same content', () => {
  /** A file that can be read until it is gone. */
  function file(name: string): ByteSource & { gone: boolean } {
    return {
      length: BYTES.length,
      gone: false,
      read(offset, length) {
        if (this.gone) return Promise.reject(new Error(`${name} has changed`))
        return Promise.resolve(BYTES.slice(offset, offset + length))
      }
    }
  }

  async function outcome(source: ByteSource): Promise<string> {
    return source.read(0, 3).then(
      bytes => bytes.join(),
      (error: unknown) => (error as Error).message
    )
  }

  it('can each be read as long as one of them can', async () => {
    const files = [file('a'), file('b'), file('c')]
    const sources = files.map(one => new TwinSource(one))
    const twins = new TwinFiles()
    for (const source of sources) source.join(twins)
    files[2]!.gone = true
    files[0]!.gone = true
    expect(await Promise.all(sources.map(outcome))).to.deep.equal(['1,2,3', '1,2,3', '1,2,3'])
    files[1]!.gone = true
    expect(await outcome(sources[2]!)).to.equal('c has changed')
  })

  it('are read alone until they are known', async () => {
    const [one, source] = [file('a'), file('b')]
    const twin = new TwinSource(source)
    new TwinSource(one).join(new TwinFiles())
    source.gone = true
    expect(await outcome(twin)).to.equal('b has changed')
  })
})
