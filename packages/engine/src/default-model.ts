import { scoringModelSchema, type ScoringModel } from './model.ts';

/** The model in force until another is published. */
export const defaultModel: ScoringModel = scoringModelSchema.parse({
  version: 'default-1',
  decay: { kind: 'exponential', halfLifeDays: 14 },
  halfScorePoints: 100,
  rules: [
    { id: 'ad_impression', kind: 'ad_impression', points: 0.1, dailyCap: 10 },
    { id: 'ad_click', kind: 'ad_click', points: 2, dailyCap: 5 },
    { id: 'web_visit', kind: 'web_visit', points: 1, pointsPerMinute: 1, maxMinutes: 10, dailyCap: 20 },
    { id: 'content_view', kind: 'content_view', points: 2, pointsPerMinute: 1, maxMinutes: 30 },
    { id: 'form_fill', kind: 'form_fill', points: 15, dailyCap: 2 },
    { id: 'email_open', kind: 'email_open', points: 0.5, dailyCap: 3 },
    { id: 'email_click', kind: 'email_click', points: 3, dailyCap: 3 },
    { id: 'social', kind: 'social', points: 1, dailyCap: 5 },
    { id: 'event_attendance', kind: 'event_attendance', points: 20, pointsPerMinute: 0.2, maxMinutes: 240 },
    { id: 'meeting', kind: 'meeting', points: 30, pointsPerMinute: 0.5, maxMinutes: 120 },
    { id: 'call', kind: 'call', points: 10, pointsPerMinute: 0.5, maxMinutes: 60 },
    { id: 'direct_mail', kind: 'direct_mail', points: 1 },
    { id: 'chat', kind: 'chat', points: 5, pointsPerMinute: 0.5, maxMinutes: 30 },
    { id: 'product_use', kind: 'product_use', points: 1, pointsPerMinute: 0.2, maxMinutes: 120, dailyCap: 20 },
  ],
  roles: { decision_maker: 1.5, champion: 1.3, influencer: 1.1 },
  reachWindowDays: 30,
  thresholds: [
    { id: 'engaged', metric: 'score', enter: 50, exit: 40, cooldown: '24h' },
    { id: 'hot', metric: 'score', enter: 75, exit: 65, cooldown: '24h' },
  ],
  qualification: {
    atLeast: 2,
    of: [
      { metric: 'score', atLeast: 50 },
      { metric: 'contacts.30d', atLeast: 3 },
      { metric: 'kind.meeting.30d', atLeast: 1 },
    ],
    minContacts: 2,
    // A meeting of a quarter of an hour was one. Nothing here asks for a url: a replay would have to read it of every touch.
    actNow: [{ kind: 'meeting', minMinutes: 15 }],
  },
  stages: [
    { id: 'aware', name: 'Aware', metrics: [{ metric: 'touches.90d', atLeast: 1 }] },
    { id: 'engaged', name: 'Engaged', engaged: true },
    { id: 'qualified', name: 'Qualified', qualified: true },
    { id: 'opportunity', name: 'Opportunity', opportunity: 'open' },
    { id: 'customer', name: 'Customer', opportunity: 'won' },
  ],
  watches: [
    { id: 'decision_maker_silent', kind: 'role_silent', role: 'decision_maker' },
    { id: 'decision_maker_engaged', kind: 'role_engaged', role: 'decision_maker' },
    { id: 'single_threaded', kind: 'single_threaded' },
  ],
  retentionDays: 400,
});
