/** The direction of imports. DESIGN: command lines and pages → shells → core → ports → common. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A circle has no first file to read. Types may name each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }
    },
    {
      name: 'common-imports-nothing',
      comment: 'What both sides speak has no platform and no dependency.',
      severity: 'error',
      from: { path: '^common/src' },
      to: { pathNot: '^common/src' }
    },
    {
      name: 'mediator-and-peer-apart',
      comment: 'They meet in common only.',
      severity: 'error',
      from: { path: '^(mediator|peer)/src' },
      to: { path: '^(mediator|peer|preview)/', pathNot: '^$1/' }
    },
    {
      name: 'core-decides-only',
      comment: 'Core imports core, ports, types and common: no shell, no adapter, no package, no platform.',
      severity: 'error',
      from: { path: ['^mediator/src/.*core/', '^peer/src/core/'] },
      to: { pathNot: ['^(mediator|peer)/src/.*(core|ports)/', '^common/', '^peer/src/api[.]ts$'] }
    },
    {
      name: 'ports-name-only',
      comment: 'A port is an interface.',
      severity: 'error',
      from: { path: '^(mediator|peer)/src/.*ports/' },
      to: { pathNot: ['^(mediator|peer)/src/.*(core|ports)/', '^common/'] }
    },
    {
      name: 'packages-behind-adapters',
      comment: 'One adapter hides one package; nothing else imports it.',
      severity: 'error',
      from: { path: '^(mediator|peer)/src', pathNot: '/(adapters|server)/|^peer/src/plugin/' },
      to: { dependencyTypes: ['npm', 'npm-optional', 'npm-peer', 'npm-no-pkg'], pathNot: '^common/' }
    },
    {
      name: 'shells-know-no-adapter',
      comment: 'Adapters are chosen at the edges: pages, programs, command lines.',
      severity: 'error',
      from: {
        path: '^peer/src/[^/]+[.]ts$'
      },
      to: { path: '^peer/src/(adapters|page|node|cli)/', pathNot: '^peer/src/adapters/system-clock[.]ts$' }
    },
    {
      name: 'pages-build-nothing',
      comment:
        'What reads documents and writes manifests runs in Node.js, and its packages are no visitor’s.',
      severity: 'error',
      from: { path: '^peer/src/(page|site|core)/' },
      to: { path: '^peer/src/(manifest|check|plugin|cli)/|/html-document[.]ts$', reachable: true }
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^(common|mediator|peer|preview)/src' },
      to: { path: '/test/' }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/' },
    // Of ours only: the packages' are what is looked for.
    exclude: { path: '^(common|mediator|peer|preview)/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.tests.json' },
    enhancedResolveOptions: {
      conditionNames: ['mayfly-src', 'import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports']
    }
  }
}
