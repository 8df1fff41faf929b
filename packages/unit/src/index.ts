export { type Place, placeOf } from './address.ts';
export { serveUnit, type StopOrder, type Unit, type UnitOptions } from './unit.ts';
