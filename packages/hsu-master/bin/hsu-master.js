#!/usr/bin/env node
// Plain old JavaScript on purpose: any Node must be able to read this file as far as the version check.
import { existsSync } from 'node:fs';

var version = process.versions.node.split('.').map(Number);
var major = version[0];
var supported =
  (major === 22 && (version[1] > 22 || (version[1] === 22 && version[2] >= 2))) ||
  (major === 24 && version[1] >= 15) ||
  major > 24;
if (supported) {
  // A package is packed with its program joined into few files, which load faster; the workspace has only the compiled ones.
  var joined = new URL('../bundle/main.js', import.meta.url);
  var program = existsSync(joined) ? joined.href : '../dist/main.js';
  import(program).catch(function (error) {
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
