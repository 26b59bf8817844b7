# Builds everything: TypeScript, then the page bundles.
Set-Location $PSScriptRoot
npm run compile
exit $LASTEXITCODE
