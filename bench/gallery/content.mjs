import { newKey } from '../contenders.mjs'

export const IMAGES = 60
export const IN_VIEWPORT = 12

/** What peers do: serve well, are not there, send 20 kB/s, leave in the midst, send wrong bytes. */
export const MANNERS = ['good', 'none', 'slow', 'leaving', 'lying']

/**
 * Images of their own for every manner of peers, so that all seeders can be there all the time: each has its `urls`,
 * `hashes`, and `comeBack` for those that have left.
 */
export async function seededContents(stage, places) {
  const contents = new Map()
  for (const manner of MANNERS) {
    const key = newKey()
    const urls = Array.from({ length: IMAGES }, (_, i) => `${stage.servers.pages}/image/${key}/${i}.png`)
    const seeders = []
    let hashes
    for (const place of places) {
      const seeder = await seederAt(stage, place)
      const order = { urls, mediator: stage.servers.mediator, manner }
      hashes = await seeder.evaluate(what => gallerySeeder.seed(what), order)
      seeders.push(seeder)
    }
    // They were only needed for the hashes.
    if (manner === 'none') for (const seeder of seeders) await seeder.context().close()
    const comeBack = async () => {
      if (manner !== 'leaving') return
      await Promise.all(seeders.map(seeder => seeder.evaluate(() => void gallerySeeder.leave())))
      await Promise.all(seeders.map(seeder => seeder.evaluate(() => gallerySeeder.comeBack())))
    }
    contents.set(manner, { urls, hashes, comeBack })
  }
  return contents
}

async function seederAt(stage, place) {
  const context = await stage.browser(place).newContext()
  const page = await context.newPage()
  await page.goto(`${stage.servers.pages}/gallery-seeder`)
  return page
}
