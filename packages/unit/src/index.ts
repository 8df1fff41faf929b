export { type Place, placeOf } from './address.ts';
export { type StopOrder, serveUnit, type Unit, type UnitOptions } from './unit.ts';
