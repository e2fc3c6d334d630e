import { expect, it } from 'vitest';
import { RoleBook } from './role-book.ts';

it('knows of each contact what was said with the newest date, and of one date what was said last', () => {
  const book = new RoleBook();
  const say = (role: string | null, updatedAt: number, accountId = 'a', contactId = 'bc'): void =>
    book.note({ accountId, contactId, role, updatedAt });
  expect([book.roleOf('a', 'bc'), book.roleOf('a', null)]).toEqual([null, null]);
  say('user', 5);
  say('champion', 3);
  expect(book.roleOf('a', 'bc')).toBe('user');
  say('champion', 5);
  expect(book.roleOf('a', 'bc')).toBe('champion');
  say('user', 1, 'ab', 'c');
  expect([book.roleOf('a', 'bc'), book.roleOf('ab', 'c')]).toEqual(['champion', 'user']);
  say(null, 6);
  expect(book.roleOf('a', 'bc')).toBeNull();
});
