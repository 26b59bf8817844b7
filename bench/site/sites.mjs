import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** What the tests of uikit load first. Its own build makes a longer one, which is not in the package: with a menu of all tests. */
const UIKIT_START = `document.write('<link rel="stylesheet" href="../dist/css/uikit.css">' +
  '<script src="../dist/js/uikit.js"></scr' + 'ipt><script src="../dist/js/uikit-icons.js"></scr' + 'ipt>')
`

/**
 * Sites of others, as npm packages ship them: `copy` puts what a web server would serve into a folder, `pages` are those of a visit,
 * in order, each with pictures that those before did not have, and `options` what `mayfly prepare` is told beside the mediator.
 */
export const SITES = {
  spectre: {
    copy: folder => cpSync(join(packageOf('spectre.css'), 'docs'), folder, { recursive: true }),
    pages: [
      'elements/media.html',
      'experimentals/carousels.html',
      'components/cards.html',
      'components/avatars.html'
    ],
    options: ['--inline', '--eager-images', '1', '--sizes']
  },
  'clean-blog': {
    copy: folder => cpSync(join(packageOf('startbootstrap-clean-blog'), 'dist'), folder, { recursive: true }),
    pages: ['index.html', 'about.html', 'post.html', 'contact.html'],
    options: ['--inline']
  },
  uikit: {
    copy(folder) {
      for (const part of ['dist', 'tests'])
        cpSync(join(packageOf('uikit'), part), join(folder, part), { recursive: true })
      mkdirSync(join(folder, 'tests/js'), { recursive: true })
      writeFileSync(join(folder, 'tests/js/test.js'), UIKIT_START)
    },
    pages: ['tests/card.html', 'tests/slider.html', 'tests/sticky-parallax.html', 'tests/lightbox.html'],
    options: ['--inline', '--eager-images', '1']
  }
}

function packageOf(name) {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
}
