export * from './identifiers.js'
export * from './limits.js'
export * from './mediation/error-code.js'
export * from './mediation/message.js'
