// A survey by USSD or SMS: the questions stand in the app's configuration, the answers go to a web service. Who loses the
// connection goes on with the same question, also days later.
//
// questions.js reads the configuration, answers.js sends what was answered. This file makes a conversation of both.

import { app, check, Choice, Dialogue, End, FreeText } from '@vumi/sdk';

import * as answers from './answers.js';
import { Questions, stateOf } from './questions.js';

/** The conversation. */
function survey() {
  const dialogue = new Dialogue('survey').ttl(30 * 24 * 60 * 60);
  let questions;
  try {
    questions = Questions.configured();
  } catch (error) {
    // The user reads that something went wrong; the log says what.
    return dialogue.state(
      new End('broken', 'There is no survey at the moment.').onEnter(() => {
        throw error;
      }),
    );
  }
  return asking(dialogue, questions);
}

function asking(dialogue, questions) {
  const first = stateOf(questions.all[0].id);
  dialogue
    .state(
      new Choice('consent', 'Water in your village: a few short questions. Shall we begin?')
        .textWith((ctx) => answers.greeting(ctx.user))
        .optionTo('yes', 'Begin', first)
        .optionTo('no', 'Not now', 'later')
        // Each option has its own way; this one is never taken.
        .next(first),
    )
    .state(new End('later', 'That is fine. Come back whenever you like.'));
  for (const question of questions.all) dialogue.state(ask(question, questions));
  return dialogue
    .state(
      new Choice('unsent', 'We cannot take your answers just now. They are kept: try again, or come back later.')
        .option('again', 'Try again')
        .nextWith(['thanks', 'unsent'], (ctx) => answers.send(ctx, questions)),
    )
    .state(new End('thanks', 'Thank you! Your answers help us to bring better water.'));
}

/** The state of a question. Which question follows depends on the answers: those that may are declared. */
function ask(question, questions) {
  return screen(question)
    .back()
    .nextWith(questions.mayFollow(question.id), (ctx) => {
      const next = questions.next(question.id, (id) => ctx.answer(stateOf(id)));
      return next === undefined ? answers.send(ctx, questions) : stateOf(next.id);
    });
}

function screen({ id, ask, number, text, options }) {
  const name = stateOf(id);
  if (number !== undefined) return new FreeText(name, ask).validate(check.number(...number));
  if (text !== undefined) return new FreeText(name, ask).validate(check.length(1, text));
  return options.reduce((choice, [value, label]) => choice.option(value, label), new Choice(name, ask));
}

export default app(survey());
