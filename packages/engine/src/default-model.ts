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
  retentionDays: 400,
});
