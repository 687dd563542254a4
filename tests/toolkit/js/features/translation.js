// Texts in the user's language, from gettext data in the configuration.
var vumigo = require('vumigo_v02');

var App = vumigo.App;
var Choice = vumigo.states.Choice;
var LanguageChoice = vumigo.states.LanguageChoice;
var FreeText = vumigo.states.FreeText;
var EndState = vumigo.states.EndState;

var TranslatedApp = App.extend(function (self) {
    App.call(self, 'language');
    var $ = self.$;

    self.states.add('language', function (name) {
        return new LanguageChoice(name, {
            question: 'Which language?',
            choices: [new Choice('en', 'English'), new Choice('sw', 'Kiswahili')],
            next: 'count',
        });
    });

    self.states.add('count', function (name) {
        return new FreeText(name, { question: $('How many messages?'), next: 'end' });
    });

    self.states.add('end', function (name) {
        var count = Number(self.im.user.get_answer('count'));
        return new EndState(name, {
            text: $.ngettext('You have {{ count }} message. {{ bye }}', 'You have {{ count }} messages. {{ bye }}', count)
                .context({ count: count, bye: $.pgettext('farewell', 'Bye') }),
            next: 'language',
        });
    });
});

vumigo.interact(this.api, TranslatedApp);
