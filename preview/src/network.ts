/** How long a browser may take to find out one address of its own. */
const GATHERING_MS = 1_000

/** Whether this browser may offer any address at all to another: some networks, settings and extensions let it have none. */
export async function hasAddresses(): Promise<boolean> {
  const connection = new RTCPeerConnection()
  try {
    const found = new Promise<boolean>(resolve => {
      connection.addEventListener('icecandidate', ({ candidate }) =>
        resolve((candidate?.candidate ?? '') !== '')
      )
      setTimeout(() => resolve(false), GATHERING_MS)
    })
    connection.createDataChannel('')
    await connection.setLocalDescription()
    return await found
  } finally {
    connection.close()
  }
}
