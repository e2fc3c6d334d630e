import type { Scenario } from './scenario.ts';
import { killAtRandom } from './scenarios/t01-kill.ts';
import { killAtNamedPoints } from './scenarios/t02-named-points.ts';
import { stallPastSession } from './scenarios/t03-stall.ts';
import { rollMembers } from './scenarios/t04-roll.ts';
import { bounceBroker } from './scenarios/t05-bounce-broker.ts';
import { spoilLinks } from './scenarios/t06-bad-links.ts';
import { storeOutage } from './scenarios/t07-store-outage.ts';
import { disorderedTouches } from './scenarios/t10-disorder.ts';
import { logMishaps } from './scenarios/t12-log-mishaps.ts';
import { alertsUnderFire } from './scenarios/t15-alerts.ts';

export const scenarios: readonly Scenario[] = [
  killAtRandom,
  killAtNamedPoints,
  stallPastSession,
  rollMembers,
  bounceBroker,
  spoilLinks,
  storeOutage,
  disorderedTouches,
  logMishaps,
  alertsUnderFire,
];
