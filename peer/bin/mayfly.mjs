#!/usr/bin/env node
import { main } from '../dist/cli/mayfly.js'
await main(process.argv.slice(2))
