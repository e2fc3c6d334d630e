import type { LinkAction } from './alert-link.ts';

/** Pages for whoever opened a link of a message: text and a button, no script, no style, nothing from elsewhere. */

export const PAGE_POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const WORDS = {
  ack: {
    question: 'Take care of this alert?',
    button: 'Acknowledge it',
    done: 'It is yours. Everybody sees that somebody takes care of it.',
  },
  snooze: { question: 'Put this alert off for 7 days?', button: 'Snooze it for 7 days', done: 'It is put off for 7 days.' },
  'not-useful': {
    question: 'Was this alert not useful?',
    button: 'It was not useful',
    done: 'Thank you. It counts in the precision of the rule.',
  },
} as const satisfies Record<LinkAction, object>;

/** Asks first: what opens links to look for dangers presses no buttons. */
export function confirmationPage(action: LinkAction, alertId: string): string {
  const { button, question } = WORDS[action];
  return page(
    question,
    `<p>Alert <code>${escaped(alertId)}</code></p>\n<form method="post"><button type="submit">${button}</button></form>`,
  );
}

export function donePage(action: LinkAction): string {
  return page('Done', `<p>${WORDS[action].done}</p>`);
}

export function deadLinkPage(why: string): string {
  return page('Nothing was done', `<p>${escaped(why)}</p>`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${title}</title></head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
