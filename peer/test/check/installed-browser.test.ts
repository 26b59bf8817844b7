import { expect } from 'chai'
import { chmod } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { installedBrowser, placesOf } from '../../src/check/installed-browser.js'
import { Folder } from '../manifest/folder.js'

describe('the browser that is there', () => {
  it('is the one that is named, else one in PATH; one that is named and not there is none', async () => {
    const folder = await Folder.of({ 'google-chrome': '', other: '' })
    const [chrome, other] = ['google-chrome', 'other'].map(name => join(folder.path, name))
    for (const path of [chrome, other]) await chmod(path ?? '', 0o755)
    const PATH = ['', folder.path].join(delimiter)
    expect(await installedBrowser({ PATH, CHROMIUM_PATH: other }, 'none')).to.equal(other)
    expect(await installedBrowser({ PATH }, 'none')).to.equal(chrome)
    expect(await installedBrowser({ PATH, CHROMIUM_PATH: '/not/there' }, 'none')).to.equal(undefined)
    await folder.remove()
  })

  it('is looked for where systems put it', () => {
    expect(placesOf({}, 'linux')).to.include('/usr/bin/chromium')
    expect(placesOf({ HOME: '/home/a' }, 'darwin')).to.include(
      join('/Applications', 'Google Chrome.app/Contents/MacOS/Google Chrome')
    )
    expect(placesOf({ PROGRAMFILES: 'C:\\Program Files' }, 'win32')).to.include(
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
    )
  })
})
