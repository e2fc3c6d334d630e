import fc from 'fast-check';

/** Names that touches, facts and models of generated histories have in common. */
export const ROLES = ['decision_maker', 'champion', 'influencer', 'user', 'toString'] as const;
export const KINDS = [
  'web_visit',
  'web_visit',
  'ad_impression',
  'ad_click',
  'form_fill',
  'email_open',
  'meeting',
  'direct_mail',
  'podcast',
  'constructor',
] as const;

export const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
export const oneOfOrNull = <T>(values: readonly T[]): fc.Arbitrary<T | null> => fc.constantFrom(null, ...values);
