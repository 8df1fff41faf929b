#!/usr/bin/env node
// Plain old JavaScript on purpose: any Node must be able to read this file as far as the version check.
var version = process.versions.node.split('.').map(Number);
var major = version[0];
var supported =
  (major === 22 && (version[1] > 22 || (version[1] === 22 && version[2] >= 2))) ||
  (major === 24 && version[1] >= 15) ||
  major > 24;
if (supported) {
  import('../dist/main.js').catch(function (error) {
    process.stderr.write(
      'hsu-master: cannot load its program: ' + (error && error.stack ? error.stack : error) + '\n',
    );
    process.exit(1);
  });
} else {
  process.stderr.write(
    'hsu-master needs Node.js 22.22.2 or later of the 22 line, or 24.15.0 or later; this is ' +
      process.versions.node +
      '.\n',
  );
  process.exit(2);
}
