/** The prebuilt bundle of simple-peer: its npm entry needs polyfills of Node.js that pages do not have. */
declare module 'simple-peer/simplepeer.min.js' {
  import SimplePeer = require('simple-peer')
  export default SimplePeer
}
