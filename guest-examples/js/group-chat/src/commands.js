// What a text means: a command begins with a slash, everything else is for the room.

const COMMANDS = ['join', 'leave', 'who', 'rooms', 'name', 'help'];

/** Reads a text: `command` is one of the above, `unknown` or `say`; `rest` is what follows it, or the text. */
export function commandOf(text) {
  const [, word, rest] = /^\/(\S*)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (word === undefined) return { command: 'say', rest: text.trim() };
  const command = word.toLowerCase() || 'help';
  return COMMANDS.includes(command) ? { command, rest } : { command: 'unknown', rest: word };
}
