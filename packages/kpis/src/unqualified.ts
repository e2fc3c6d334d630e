import type { KpiSettings } from './definition.ts';

/** Why the engine's word on who is qualified, which `qualifiedBy` asks for, is not known; null where it is, or is not asked for or not alone. */
export function whyUnqualified(
  qualifiedBy: string | undefined,
  { hasQualification }: Pick<KpiSettings, 'hasQualification'>,
): string | null {
  const needsEngine = qualifiedBy === 'mqa' || qualifiedBy === 'both';
  if (!needsEngine || hasQualification) return null;
  return 'the scoring model has no qualification, so that no account can become a marketing qualified one';
}
