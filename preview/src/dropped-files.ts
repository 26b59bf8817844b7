/** Files taken out of dropped folders: more than one link carries are of no use. */
const MAX_DROPPED = 512

/** The files that were dropped, those in dropped folders too. Call it within the event: later the browser forgets. */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly File[]> {
  const plain = [...transfer.files]
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry()).filter(entry => entry !== null)
  if (!entries.some(entry => entry.isDirectory)) return plain
  const files: File[] = []
  while (entries.length > 0 && files.length < MAX_DROPPED) {
    const entry = entries.shift()
    if (isFile(entry)) files.push(await fileOf(entry))
    else if (isFolder(entry)) entries.push(...(await childrenOf(entry)))
  }
  return files
}

function isFile(entry: FileSystemEntry | undefined): entry is FileSystemFileEntry {
  return entry?.isFile === true
}

function isFolder(entry: FileSystemEntry | undefined): entry is FileSystemDirectoryEntry {
  return entry?.isDirectory === true
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject)
  })
}

/** A folder is read in parts, until an empty one. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader()
  const children: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject)
    })
    if (some.length === 0 || children.length >= MAX_DROPPED) return children
    children.push(...some)
  }
}
