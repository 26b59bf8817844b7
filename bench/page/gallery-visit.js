// A page with many images, as a site would write it. The script of the library is there before the clock starts.
globalThis.gallery = {
  /**
   * Shows `urls` as images, with `hashes` by the library. Settles when all of them are loaded, with the milliseconds until
   * those of the first viewport were, until all were, and the names of their sources.
   */
  async show({ urls, hashes, inViewport, mediator }) {
    const startedAt = performance.now()
    const images = urls.map(() => document.body.appendChild(new Image()))
    const loaded = Promise.all(images.map(loadedAt))
    const sources =
      hashes === undefined
        ? this.plainly(images, urls)
        : this.shared(images, { urls, hashes, inViewport, mediator })
    const times = (await loaded).map(time => time - startedAt)
    return {
      viewport: Math.max(...times.slice(0, inViewport)),
      all: Math.max(...times),
      sources: await sources
    }

    function loadedAt(image) {
      return new Promise((resolve, reject) => {
        image.onload = () => resolve(performance.now())
        image.onerror = () => reject(new Error('an image did not load'))
      })
    }
  },

  plainly(images, urls) {
    images.forEach((image, i) => (image.src = urls[i]))
    return []
  },

  shared(images, { urls, hashes, inViewport, mediator }) {
    mayfly.connect(mediator)
    return Promise.all(
      images.map((image, i) => {
        const options = { url: urls[i] }
        // What the page needs at once does not wait for peers.
        if (i < inViewport) options.originAfterMs = 0
        return mayfly.load(hashes[i], image, options)
      })
    )
  }
}
