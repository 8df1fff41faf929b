import { fileURLToPath } from 'node:url';

/** Where the proto files are, for those who read them. */
export const PROTO_FOLDER: string = fileURLToPath(new URL('../proto', import.meta.url));
