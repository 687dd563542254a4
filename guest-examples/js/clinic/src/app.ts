// Registration at a clinic by USSD: three languages, answers that are checked, a long list in pages, and a web service that
// gets the registration. Who loses the connection goes on where they were.
//
// checks.ts says which answers are right, towns.ts where there are clinics, and registration.ts brings it all to the web
// service. The translations are in locale/. This file is the conversation.

import {
  app,
  Booklet,
  Choice,
  type Context,
  Dialogue,
  End,
  FreeText,
  Menu,
  type MenuOption,
  PaginatedChoice,
  Translations,
} from '@vumi/sdk';

import sw from '../locale/sw.po';
import zu from '../locale/zu.po';
import * as checks from './checks';
import * as registration from './registration';
import { TOWNS } from './towns';

const clinic = new Dialogue('clinic')
  .version(1)
  .onNew('ask')
  .backEverywhere()
  .translations(new Translations().po('sw', sw).po('zu', zu))
  // The first screen, before a language is chosen, speaks all of them.
  .state(
    new Choice('language', 'Tumaini Clinics\nLanguage / Lugha / Ulimi:')
      .option('en', 'English')
      .option('sw', 'Kiswahili')
      .option('zu', 'isiZulu')
      .setsLanguage()
      .next('menu'),
  )
  .state(
    new Menu('menu', 'Welcome to Tumaini Clinics. What would you like to do?').optionsWith(
      ['name', 'number', 'hours', 'about'],
      menu,
    ),
  )
  .state(new FreeText('name', 'What is your full name?').validate(checks.name).next('birth'))
  .state(
    new FreeText('birth', 'When were you born? Day, month and year, such as 31-01-1990.')
      .validate(checks.birth)
      .onLeave((ctx) => ctx.set('day', checks.shown(ctx.answer<string>('birth') ?? '')))
      .next('sex'),
  )
  .state(
    new Choice('sex', 'Your sex?')
      .option('female', 'Female')
      .option('male', 'Male')
      .option('unsaid', 'I would rather not say')
      .next('document'),
  )
  .state(
    new Choice('document', 'Which document do you have?')
      .optionTo('id', 'South African ID', 'id-number')
      .optionTo('passport', 'Passport', 'passport')
      .option('none', 'None of these')
      .next('town'),
  )
  .state(new FreeText('id-number', 'What is your ID number? It has 13 digits.').validate(checks.idNumber).next('town'))
  .state(new FreeText('passport', 'What is your passport number?').validate(checks.passport).next('town'))
  .state(
    new PaginatedChoice('town', 'Where is your clinic?')
      .perPage(6)
      .optionsWith(() => TOWNS.map((town) => ({ value: town, label: town })))
      .next('confirm'),
  )
  .state(
    new Choice('confirm', '{name}, born on {day}, clinic in {town}. Is that right?')
      .option('yes', 'Yes, register me')
      .optionTo('no', 'No, change it', 'name')
      .nextWith(['registered', 'unsent', 'refused'], registration.send),
  )
  .state(
    new Choice('unsent', 'We cannot reach the clinic just now. Your answers are kept: try again, or dial again later.')
      .option('again', 'Try again')
      .nextWith(['registered', 'unsent', 'refused'], registration.send),
  )
  .state(new End('refused', 'The clinic did not accept this. Please ask at the reception.'))
  .state(new End('registered', 'Thank you, {name}. Your number is {patient}. Show it at the clinic in {town}.'))
  .state(new End('number', '{name}, your number is {patient} at the clinic in {town}.').onEnter(known))
  .state(
    new End('hours', 'Monday to Friday 8:00 to 16:00, Saturday 8:00 to 12:00. For emergencies we are always open.'),
  )
  .state(
    new Booklet('about', 'Tumaini Clinics are in 18 towns. A nurse sees everybody, with or without papers.')
      .page('The first visit is free. Bring your number: it saves you the queue.')
      .page('What you tell us stays with us. Only your clinic sees it.')
      .next('menu'),
  );

/** Who is registered already is shown the number instead. */
function menu(ctx: Context): MenuOption[] {
  const first = registration.known(ctx) ? { label: 'My number', to: 'number' } : { label: 'Register', to: 'name' };
  return [first, { label: 'Opening hours', to: 'hours' }, { label: 'About us', to: 'about' }];
}

/** Fills the screen with what was registered, perhaps long ago. */
function known(ctx: Context): void {
  const patient = registration.known(ctx);
  if (patient === undefined) throw new Error('there is no registration');
  registration.fill(ctx, patient);
}

export default app(clinic);
