export { Notifier } from './notifier.ts';
export type { NotifierOptions } from './notifier.ts';
export { notifierSettings } from './settings.ts';
export type { NotifierSettings } from './settings.ts';
