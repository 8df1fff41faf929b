export { type LoadedNative, loadNative } from './load.ts';
export type {
  Native,
  NativeCapability,
  NativeEngine,
  NativeEngineOptions,
  NativeEvent,
  NativeFailure,
  NativeHandle,
  NativeSignalResult,
  NativeSpawn,
  NativeSpawned,
  NativeSpawnResult,
  NativeStep,
  NativeStream,
  NativeUser,
  ProcessRow,
} from './native.ts';
