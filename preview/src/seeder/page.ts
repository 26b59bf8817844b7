import { Connection } from '../connection.js'
import { droppedFiles } from '../dropped-files.js'
import { part, write } from '../element.js'
import { MediatorPanel } from '../mediator-panel.js'
import { findMediators } from '../settings.js'
import { Seeding } from './seeding.js'

const connection = new Connection()
const seeding = new Seeding(connection)
const choose = part('choose', HTMLInputElement)
const zone = part('drop', HTMLElement)

choose.addEventListener('change', () => {
  seeding.add([...(choose.files ?? [])])
  // The same file may be chosen again.
  choose.value = ''
})

// The whole page takes what is dropped: a file let go beside the zone must not replace the page.
addEventListener('dragover', event => {
  event.preventDefault()
  zone.dataset['over'] = 'true'
})
addEventListener('dragleave', event => {
  if (event.relatedTarget === null) zone.dataset['over'] = 'false'
})
addEventListener('drop', event => {
  event.preventDefault()
  zone.dataset['over'] = 'false'
  if (event.dataTransfer !== null) void take(event.dataTransfer)
})
addEventListener('paste', event => {
  const files = [...(event.clipboardData?.files ?? [])]
  if (files.length > 0) seeding.add(files)
})
addEventListener('beforeunload', event => {
  if (seeding.busy) event.preventDefault()
})

async function take(transfer: DataTransfer): Promise<void> {
  try {
    seeding.add(await droppedFiles(transfer))
  } catch {
    write(part('notice', HTMLElement), 'What was dropped cannot be read. Choose the files instead.')
  }
}

void begin()

async function begin(): Promise<void> {
  const beginning = await findMediators()
  part('mediator', HTMLElement).replaceChildren(new MediatorPanel(connection, beginning).element)
  connection.open(beginning.mediators)
}
