// A menu that leads to each kind of state of the toolkit.
var go = {};

go.app = function () {
    var vumigo = require('vumigo_v02');
    var Q = require('q');
    var App = vumigo.App;
    var Choice = vumigo.states.Choice;
    var ChoiceState = vumigo.states.ChoiceState;
    var MenuState = vumigo.states.MenuState;
    var PaginatedChoiceState = vumigo.states.PaginatedChoiceState;
    var PaginatedState = vumigo.states.PaginatedState;
    var BookletState = vumigo.states.BookletState;
    var FreeText = vumigo.states.FreeText;
    var EndState = vumigo.states.EndState;

    var StatesApp = App.extend(function (self) {
        App.call(self, 'menu');

        self.states.add('menu', function (name) {
            return new MenuState(name, {
                question: 'Which kind?',
                choices: [
                    new Choice('drink', 'Choice'),
                    new Choice('town', 'Paginated choice'),
                    new Choice('terms', 'Paginated text'),
                    new Choice('book', 'Booklet'),
                    new Choice('age', 'Free text'),
                    new Choice('gate', 'Delegation'),
                    new Choice('nowhere', 'A state that is not there'),
                    new Choice('silent', 'No reply'),
                    new Choice('broken', 'A creator that throws'),
                ],
            });
        });

        self.states.add('drink', function (name) {
            return new ChoiceState(name, {
                question: 'Tea or coffee?',
                error: 'Please choose one of them.',
                accept_labels: true,
                choices: [new Choice('tea', 'Tea'), new Choice('coffee', 'Coffee')],
                next: function (choice) {
                    return { name: 'done', creator_opts: { what: choice.value } };
                },
            });
        });

        self.states.add('town', function (name) {
            return new PaginatedChoiceState(name, {
                question: 'Your town?',
                options_per_page: 2,
                choices: ['Accra', 'Bamako', 'Cairo', 'Dakar', 'Enugu'].map(function (town) {
                    return new Choice(town.toLowerCase(), town);
                }),
                next: function (choice) {
                    return { name: 'done', creator_opts: { what: choice.value } };
                },
            });
        });

        self.states.add('terms', function (name) {
            return new PaginatedState(name, {
                text: 'One two three four five six seven eight nine ten eleven twelve.',
                characters_per_page: 60,
                next: 'menu',
            });
        });

        self.states.add('book', function (name) {
            return new BookletState(name, {
                pages: 3,
                page_text: function (page) {
                    return Q.delay(1).thenResolve('Page ' + (Number(page) + 1) + ' of 3');
                },
                footer_text: '1 back, 2 on, 0 out',
                next: 'menu',
            });
        });

        self.states.add('age', function (name) {
            return new FreeText(name, {
                question: 'How old are you?',
                check: function (content) {
                    if (!/^\d+$/.test(content)) return 'A number, please.';
                },
                next: function (content) {
                    return { name: 'done', creator_opts: { what: content } };
                },
            });
        });

        // Creates no state itself: it delegates.
        self.states.add('gate', function () {
            return self.im.user.get_answer('drink')
                ? self.states.create('done', { what: 'once ' + self.im.user.get_answer('drink') })
                : self.states.create('drink');
        });

        self.states.add('silent', function (name) {
            return new FreeText(name, { question: 'never shown', send_reply: false, next: 'menu' });
        });

        self.states.add('broken', function () {
            throw new Error('the creator is broken');
        });

        self.states.add('done', function (name, opts) {
            return new EndState(name, { text: 'You said ' + opts.what + '. Bye.', next: 'menu' });
        });
    });

    return { StatesApp: StatesApp };
}();

go.init = function () {
    var vumigo = require('vumigo_v02');
    var InteractionMachine = vumigo.InteractionMachine;
    if (typeof api === 'undefined') return {};
    return { im: new InteractionMachine(api, new go.app.StatesApp()) };
}.call(this);
