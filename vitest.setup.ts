import { creaturePath } from '@hsu-master/testkit';

/** Compiled before all tests: whoever compiles it among them keeps the others in its process from going on meanwhile. */
export default function setup(): void {
  creaturePath();
}
