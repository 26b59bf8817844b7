#!/bin/sh
# Builds everything: TypeScript, then the page bundles.
cd "$(dirname "$0")" && npm run compile
