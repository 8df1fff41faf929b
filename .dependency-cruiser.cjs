// The layers of docs/ARCHITECTURE.md. Every arrow not listed here is forbidden by one of the rules.
const siblings = '(config|health|logcollect|workers)';

module.exports = {
  forbidden: [
    {
      name: 'core-imports-nothing',
      comment: 'core knows words and takes decisions; it reaches no package and no part of Node.',
      severity: 'error',
      from: { path: '^packages/core/src' },
      to: { pathNot: '^packages/core/src' },
    },
    {
      name: 'siblings-apart',
      comment: 'config, health, logcollect and workers know core, never each other.',
      severity: 'error',
      from: { path: `^packages/${siblings}/src` },
      to: { path: `^packages/${siblings}/`, pathNot: '^packages/$1/' },
    },
    {
      name: 'siblings-below-launcher',
      comment: 'Nothing below the launcher imports it, the test kit or the bench.',
      severity: 'error',
      from: { path: `^packages/(${siblings}|native)/src` },
      to: { path: '^packages/(hsu-master|testkit|bench|api|cli|grpc|server-grpc|unit|contract)/' },
    },
    {
      name: 'units-know-the-contract-only',
      comment: 'Programs install unit and contract without anything of the master.',
      severity: 'error',
      from: { path: '^packages/(unit|contract)/src' },
      to: { path: '^packages/', pathNot: '^packages/($1|contract)/' },
    },
    {
      name: 'grpc-on-core-and-contract',
      comment: 'gRPC is a port of core; only the launcher names who speaks it.',
      severity: 'error',
      from: { path: '^packages/grpc/src' },
      to: { path: '^packages/', pathNot: '^packages/(grpc|core|contract)/' },
    },
    {
      name: 'server-grpc-on-core-and-contract',
      comment: 'Like the API it asks a master through core’s Control.',
      severity: 'error',
      from: { path: '^packages/server-grpc/src' },
      to: { path: '^packages/', pathNot: '^packages/(server-grpc|core|contract)/' },
    },
    {
      name: 'api-on-core-only',
      comment: 'The API asks a master through core’s Control; it reaches no worker.',
      severity: 'error',
      from: { path: '^packages/api/src' },
      to: { path: '^packages/', pathNot: '^packages/(api|core)/' },
    },
    {
      name: 'client-loads-nothing',
      comment: 'A command line starts with the client: of the contracts it has the types alone.',
      severity: 'error',
      from: { path: '^packages/api/src/client' },
      to: { pathNot: '^packages/api/src/client', dependencyTypesNot: ['type-only', 'core'] },
    },
    {
      name: 'cli-on-the-client-only',
      comment: 'Commands that ask know a master by its client.',
      severity: 'error',
      from: { path: '^packages/cli/src' },
      to: { path: '^packages/', pathNot: '^packages/(cli/|api/(dist|src)/client/)' },
    },
    {
      name: 'native-only-at-the-edge',
      comment: 'Only the hosts, the log capture and the launcher touch the addons.',
      severity: 'error',
      from: {
        path: '^packages/[^/]+/src',
        pathNot: '^packages/(workers/src/host|logcollect/src/capture|hsu-master/src|bench/src|native/src)',
      },
      to: { path: '^(packages/native|native)/' },
    },
    {
      name: 'native-knows-nobody',
      severity: 'error',
      from: { path: '^packages/native/src' },
      to: { path: '^packages/', pathNot: '^packages/native/' },
    },
    {
      name: 'testkit-on-core-only',
      severity: 'error',
      from: { path: '^packages/testkit/src' },
      to: { path: '^packages/', pathNot: '^packages/(testkit|core)/' },
    },
    {
      name: 'no-other-package-inside',
      comment: 'Other packages are reached through their exports, never by path.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src' },
      to: { path: '^packages/[^/]+/src', pathNot: '^packages/$1/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'default', 'node'],
    },
  },
};
