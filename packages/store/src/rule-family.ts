/** The family of the rule that a row of `alert_transitions` is of: `familyOf`, as an expression. */
export const FAMILY = "splitByChar('.', type)[2]";
