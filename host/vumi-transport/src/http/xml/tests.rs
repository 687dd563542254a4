//! Documents of networks and hostile ones, read; documents written to the byte, and read again.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Element {
    Element::read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fault(document: impl AsRef<[u8]>) -> XmlFault {
    Element::read(document.as_ref()).expect_err("an error").fault
}

#[test]
fn a_document_of_a_network_is_read() {
    let message = read(
        r#"<Message><Version Version="1.0"/>
 <Response Type="OnUSSEvent"><SystemID>x</SystemID>
  <OnUSSEvent Type="Request"><USSContext SessionID="16502" MSISDN='27820000001' ConnStr="*120*44#"/>
   <USSText Type="TEXT"> foo &amp; b&#228;r<![CDATA[ <&amp;> ]]><!-- no --><?no?>é </USSText>
  </OnUSSEvent></Response></Message>"#,
    );
    assert_eq!((message.name.as_str(), message.attribute("Type")), ("Message", None));
    let response = message.child("Response").unwrap();
    assert_eq!(response.attribute("Type"), Some("OnUSSEvent"));
    let event = response.child("OnUSSEvent").unwrap();
    assert_eq!(event.child("USSContext").unwrap().attribute("MSISDN"), Some("27820000001"));
    assert_eq!(event.child_text("USSText").unwrap(), " foo & bär <&amp;> é ");
    assert_eq!(event.child_trimmed("USSText").unwrap(), "foo & bär <&amp;> é");
    assert_eq!(event.child("USSText").unwrap().nodes.len(), 1, "one text");
    assert_eq!(event.child_text("Gone"), None);
    let names: Vec<_> = message.descendants().map(|element| element.name.as_str()).collect();
    assert_eq!(names, ["Version", "Response", "SystemID", "OnUSSEvent", "USSContext", "USSText"]);
}

#[test]
fn a_document_type_is_passed_over() {
    let post = read(
        "\u{FEFF}\n<?xml version=\"1.0\" encoding='utf-8'?><!DOCTYPE bspostevent>\n<bspostevent>\n\
         <field name=\"Local\" type = \"string\">*32323</field><field name=\"Text\" type = \"string\"/></bspostevent>\n<!-- -->",
    );
    let fields: Vec<_> = post.children("field").map(|f| (f.attribute("name").unwrap(), f.text())).collect();
    assert_eq!(fields, [("Local", "*32323".to_owned()), ("Text", String::new())]);
    assert_eq!(read("<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd' [<!ELEMENT a ANY>]><a/>").name, "a");
}

#[test]
fn namespaces_are_resolved() {
    let root = read(
        "<p:a xmlns:p='urn:1' xmlns='urn:d' p:x='1' x='2' xml:lang='en'><b><p:c xmlns:p='urn:2'/><p:d/></b>\
         <e xmlns=''/></p:a>",
    );
    assert!(root.is("urn:1", "a"));
    assert_eq!(root.attribute("x"), Some("2"));
    assert_eq!(root.attribute("lang"), None);
    assert_eq!(root.attributes.len(), 3);
    assert_eq!(root.attributes[0].namespace.as_deref(), Some("urn:1"));
    let b = root.child_in("urn:d", "b").unwrap();
    assert!(b.child("c").unwrap().is("urn:2", "c"));
    assert!(b.child("d").unwrap().is("urn:1", "d"), "the inner declaration is over");
    assert_eq!(root.child("e").unwrap().namespace, None);
    assert_eq!(root.child_in("urn:2", "b"), None);
}

#[test]
fn white_space_is_kept_in_text_and_settled_in_attributes() {
    let root = read("<a b=' 1\t2\r\n3&#10;4 '> x\r\ny\rz&#13;\n </a>");
    assert_eq!(root.attribute("b"), Some(" 1 2 3\n4 "));
    assert_eq!(root.text(), " x\ny\nz\r\n ");
    assert!(read("<a>\n</a>").trimmed().is_empty());
}

#[test]
fn encodings_are_read_or_refused() {
    let latin = b"<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>\xE9</a>";
    assert_eq!(Element::read(latin).unwrap().text(), "é");
    assert_eq!(decode(latin).unwrap(), "<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>é</a>");
    assert_eq!(Element::read_text("<?xml version='1.0' encoding='utf-16'?><a>é</a>").unwrap().text(), "é");
    assert_eq!(read("<?xml version='1.0' encoding='US-ASCII' ?><a>é</a>").text(), "é");
    assert_eq!(
        fault("<?xml version='1.0' encoding='windows-1252'?><a/>"),
        XmlFault::Encoding("windows-1252".to_owned())
    );
    assert_eq!(fault(b"\xFF\xFE<\0a\0/\0>\0"), XmlFault::Encoding("UTF-16".to_owned()));
    let error = Element::read(b"<a>\n\xC3\xA9x\xFF</a>").unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 3: the document is not UTF-8");
    assert_eq!(fault(b"<a>\xC3"), XmlFault::NotUtf8);
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (text, sentence) in [
        ("", "line 1, column 1: the document has no element"),
        ("<!-- -->", "no element"),
        ("blah", "line 1, column 1: nothing but comments may stand outside"),
        ("<a/>x", "line 1, column 5: nothing but comments"),
        ("<a/>&amp;", "nothing but comments"),
        ("<a/><![CDATA[]]>", "nothing but comments"),
        ("<a/>\n<b/>", "nothing but comments"),
        ("<a>", "line 1, column 4: the document ends before `a` is closed"),
        ("<a>\n <b></a>", "line 2, column 5: "),
        ("</a>", "line 1, column 1: "),
        ("<a", "line 1, column 1: "),
        ("<a b='1", "line 1, column 1: "),
        ("<a b=1/>", "line 1, column 1: an attribute is not written as name=\"value\""),
        ("<a b/>", "line 1, column 1: "),
        ("<a b='1' b='2'/>", "the attribute `b` is given twice"),
        ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "the attribute `b` is given twice"),
        ("<a xmlns:p='u' xmlns:p='v'/>", "the attribute `xmlns:p` is given twice"),
        ("<a b='<'/>", "`<` must be written as `&lt;`"),
        ("<a>]]></a>", "`]]>` must be written"),
        ("<a>&</a>", "line 1, column 4: "),
        ("<a>&b</a>", "line 1, column 4: "),
        ("<a>&nbsp;</a>", "line 1, column 4: the entity `nbsp` is not known"),
        ("<a b='&nbsp;'/>", "the entity `nbsp` is not known"),
        ("<a>&#0;</a>", "line 1, column 4: "),
        ("<a>&#x110000;</a>", "line 1, column 4: "),
        ("<a>&#xD800;</a>", "line 1, column 4: "),
        ("<a>&#1;</a>", "the character U+0001 is not allowed"),
        ("<a b='&#xFFFF;'/>", "the character U+FFFF is not allowed"),
        ("<a>é\0</a>", "line 1, column 5: the character U+0000 is not allowed"),
        ("<1/>", "`1` is not a name"),
        ("< a/>", "is not a name"),
        ("<a:b:c xmlns:a='u'/>", "`a:b:c` is not a name"),
        ("<:a/>", "`:a` is not a name"),
        ("<a 1='2'/>", "`1` is not a name"),
        ("<p:a/>", "the prefix `p` is not declared"),
        ("<a p:b='1'/>", "the prefix `p` is not declared"),
        ("<a><b xmlns:p='u'/><p:c/></a>", "the prefix `p` is not declared"),
        ("<a xmlns:xml='u'/>", "the prefix `xml` cannot be declared like this"),
        ("<a xmlns:p=''/>", "the prefix `p` cannot be declared like this"),
        ("<a><?xml version='1.0'?></a>", "the XML declaration must be the first thing"),
        ("<a/><!DOCTYPE a>", "the document type must stand before everything else"),
        ("<!-- -- --><a/>", "line 1, column 6: "),
    ] {
        let error = Element::read(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(sentence) && !error.contains('\n'), "{text}: {error}");
    }
}

#[test]
fn entities_are_never_declared() {
    let laughs = format!(
        "<!DOCTYPE a [<!ENTITY l0 'ha'>{}]><a>&l9;</a>",
        (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect::<String>()
    );
    let blow_up = format!("<!DOCTYPE a [<!ENTITY b '{}'>]><a>{}</a>", "x".repeat(50_000), "&b;".repeat(50_000));
    for document in [
        laughs.as_str(),
        &blow_up,
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x PUBLIC 'x' 'http://127.0.0.1:9/'>]><a/>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/'> %p;]><a/>",
    ] {
        assert_eq!(fault(document), XmlFault::Entities);
    }
    assert_eq!(
        fault("<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a>&there;</a>"),
        XmlFault::Entity("there".to_owned())
    );
}

#[test]
fn the_limits_are_reached_and_not_passed() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert_eq!(read(&nested(MAX_DEPTH)).descendants().count(), MAX_DEPTH - 1);
    assert_eq!(fault(nested(MAX_DEPTH + 1)), XmlFault::TooDeep);
    assert_eq!(fault(nested(100_000)), XmlFault::TooDeep);
    assert_eq!(fault("<a>".repeat(100_000)), XmlFault::TooDeep);

    let wide = |parts: usize| format!("<a>{}</a>", "<b c='1'/>x".repeat(parts));
    let most = (MAX_NODES - 1) / 3;
    assert_eq!(read(&wide(most)).nodes.len(), most * 2);
    assert_eq!(fault(wide(most + 1)), XmlFault::TooLarge);

    let attributes = |count: usize| format!("<a {}/>", (0..count).map(|n| format!("a{n}='' ")).collect::<String>());
    assert_eq!(read(&attributes(MAX_ATTRIBUTES)).attributes.len(), MAX_ATTRIBUTES);
    assert_eq!(fault(attributes(100_000)), XmlFault::TooManyAttributes);

    let names = |count: usize| {
        let declared = |part: usize| (0..50).map(move |n| format!(" xmlns:p{part}x{n}='u'")).collect::<String>();
        (0..count).map(|part| format!("<a{}>", declared(part))).collect::<String>() + &"</a>".repeat(count)
    };
    read(&names(2));
    assert_eq!(fault(names(3)), XmlFault::TooManyNamespaces);
    let again = format!("<a>{}</a>", (0..200).map(|n| format!("<b xmlns:p{n}='u'/>")).collect::<String>());
    assert_eq!(read(&again).nodes.len(), 200, "namespaces that are over do not count");
}

/// With a reader that is quadratic in any of these, this test takes minutes.
#[test]
fn a_megabyte_of_garbage_is_no_burden() {
    let size = 1 << 20;
    let fill = |before: &str, unit: &str| before.to_owned() + &unit.repeat(size / unit.len());
    for garbage in [
        fill("", "<"),
        fill("", "&"),
        fill("<a>", "&"),
        fill("<a>", "&amp;"),
        fill("<a>", "]]"),
        fill("<a>", "<![CDATA["),
        fill("<a>", "<![CDATA[x]]>"),
        fill("<a>", "<!--"),
        fill("<a>", "<!---->"),
        fill("<a>", "<?a?>"),
        fill("<a ", "b='1' "),
        fill("<a ", "b"),
        fill("<a b='", "&amp;"),
        fill("<!DOCTYPE a [", "<!ELEMENT a ANY>"),
        fill("<!DOCTYPE a [", "["),
        fill("<!DOCTYPE a ", "'"),
        fill("", "<?xml version='1.0'?>"),
        fill("<", "a"),
        fill("<a xmlns='u'>", "<b/>"),
        fill("<a>", "</"),
        fill("<a>", "\n"),
    ] {
        assert!(Element::read(garbage.as_bytes()).is_err(), "{}", &garbage[..20]);
    }
    let address = "u".repeat(size / 2);
    let heavy = format!("<a xmlns='{address}'>{}</a>", "<b/>".repeat(MAX_NODES - 1));
    assert_eq!(read(&heavy).nodes.len(), MAX_NODES - 1, "the address is kept once");
    assert!(Element::read(&vec![0xFF; size]).is_err());
    assert!(Element::read(&vec![0; size]).is_err());
    let long = format!("<{0}></{0}x>", "é".repeat(size / 4));
    assert!(Element::read(long.as_bytes()).unwrap_err().to_string().chars().count() < 300, "an error stays short");
}

#[test]
fn a_document_cut_off_anywhere_is_refused() {
    let whole = "<?xml version='1.0'?><!DOCTYPE a><a b='1'><c>x &amp; <![CDATA[y]]></c><!-- z --><?p?></a>";
    read(whole);
    for end in 0..whole.len() {
        assert!(Element::read(&whole.as_bytes()[..end]).is_err(), "{}", &whole[..end]);
    }
}

#[test]
fn documents_are_written_as_the_networks_expect_them() {
    let reply = |text: &str| {
        Markup::new("Message")
            .child(Markup::new("Version").attribute("Version", "1.0"))
            .child(
                Markup::new("Request")
                    .attribute("Flags", "0")
                    .attribute("SessionID", "S")
                    .attribute("Type", "USSReply")
                    .child(Markup::of("UserID", "user").attribute("Orientation", "TR"))
                    .child(Markup::of("Password", "pw"))
                    .child(Markup::of("USSText", text).attribute("Type", "TEXT")),
            )
            .to_ascii()
    };
    let start = r#"<Message><Version Version="1.0" /><Request Flags="0" SessionID="S" Type="USSReply"><UserID Orientation="TR">user</UserID><Password>pw</Password>"#;
    let end = "</Request></Message>";
    assert_eq!(reply("text"), format!(r#"{start}<USSText Type="TEXT">text</USSText>{end}"#));
    assert_eq!(reply("é"), format!(r#"{start}<USSText Type="TEXT">&#233;</USSText>{end}"#));
    assert_eq!(reply(""), format!(r#"{start}<USSText Type="TEXT" />{end}"#));

    let mut lines = "OK\n1 < 2".split('\n');
    let div = Markup::of("div", lines.next().unwrap());
    let div = lines.fold(div, |div, line| div.child(Markup::new("br")).text(line));
    let page =
        Markup::new("page").attribute("version", "2.0").child(Markup::of("session_id", "S")).child(div).children(Some(
            Markup::new("navigation")
                .child(Markup::new("link").attribute("accesskey", "*").attribute("pageId", "indexX")),
        ));
    assert_eq!(
        page.to_string(),
        r#"<page version="2.0"><session_id>S</session_id><div>OK<br />1 &lt; 2</div><navigation><link accesskey="*" pageId="indexX" /></navigation></page>"#
    );
    assert_eq!(Markup::new("a").raw("<b/>").to_string(), "<a><b/></a>");
}

#[test]
fn texts_are_escaped() {
    assert_eq!(escape_text("a"), "a");
    assert_eq!(escape_text("<&>\"'\t\n\r\0é"), "&lt;&amp;&gt;\"'\t\n&#13;\u{FFFD}é");
    assert_eq!(escape_attribute("<&>\"'\t\n\ré"), "&lt;&amp;&gt;&quot;'&#9;&#10;&#13;é");
    assert_eq!(ascii("aé€😀"), "a&#233;&#8364;&#128512;");
}

/// An element to write, and what must be read of it.
fn written() -> impl Strategy<Value = (Markup, Element)> {
    let name = || "[a-zA-Z_][a-zA-Z0-9._-]{0,6}";
    let attributes = move || btree_map(name(), text(), 0..4);
    let leaf =
        (name(), attributes(), text()).prop_map(|(name, attributes, text)| build(name, attributes, text, vec![]));
    leaf.prop_recursive(4, 40, 5, move |inner| {
        (name(), attributes(), text(), vec((inner, text()), 0..5))
            .prop_map(|(name, attributes, text, children)| build(name, attributes, text, children))
    })
}

/// Any text that XML can carry.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        prop::sample::select(vec!['<', '>', '&', '"', '\'', ']', '\r', '\n', '\t', ' ', ';', '#']),
        any::<char>().prop_map(|c| if super::write::allowed(c) { c } else { '?' }),
    ];
    vec(character, 0..8).prop_map(String::from_iter)
}

type Parts = Vec<((Markup, Element), String)>;

fn build(name: String, attributes: BTreeMap<String, String>, text: String, children: Parts) -> (Markup, Element) {
    // `xmlns` is no attribute but a declaration.
    let attributes: Vec<_> = attributes.into_iter().filter(|(name, _)| name != "xmlns").collect();
    let mut element = Element { name: name.clone(), ..Element::default() };
    let mut markup = Markup::new(name);
    for (name, value) in attributes {
        markup = markup.attribute(name.clone(), value.clone());
        element.attributes.push(Attribute { name, namespace: None, value });
    }
    element.push_text(&text);
    markup = markup.text(text);
    for ((child, read), after) in children {
        element.nodes.push(Node::Element(read));
        element.push_text(&after);
        markup = markup.child(child).text(after);
    }
    (markup, element)
}

proptest! {
    #[test]
    fn what_is_written_is_read_again((markup, element) in written()) {
        prop_assert_eq!(Element::read(markup.to_string().as_bytes()), Ok(element.clone()));
        prop_assert_eq!(Element::read(markup.to_ascii().as_bytes()), Ok(element));
    }

    #[test]
    fn any_text_can_be_written(content in any::<String>()) {
        let markup = Markup::of("a", content.clone()).attribute("b", content);
        prop_assert!(Element::read(markup.to_ascii().as_bytes()).is_ok());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..64)) {
        let _ = Element::read(&bytes);
    }

    #[test]
    fn near_misses_are_read_or_refused(
        pieces in vec(prop::sample::select(vec![
            "<", ">", "/", "a", "b='", "'", "\"", "=", " ", "<a>", "</a>", "<a/>", "&", "#", "x", "4", ";", "amp", "!",
            "--", "[", "]", "]]>", "<![CDATA[", "<!DOCTYPE ", "<?", "?>", "xml", "<?xml version='1.0'", ":", "xmlns", "é",
            "\0", "\u{FEFF}", "encoding='",
        ]), 0..24),
    ) {
        let _ = Element::read(pieces.concat().as_bytes());
    }
}
