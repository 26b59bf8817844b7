export { contentTypeOf } from '../core/content-type.js'
