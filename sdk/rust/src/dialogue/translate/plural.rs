//! The rule by which a language counts: the C expression of a gettext file's `Plural-Forms`.

/// Deepest nesting; the rules of real languages have five.
const DEEPEST: u32 = 40;

/// What a rule gives for `n`: the index of the form. None when it is no expression, or divides by zero.
pub(super) fn index(rule: &str, n: u64) -> Option<u64> {
    let mut reader = Reader { rest: rule, n, depth: 0 };
    let value = reader.choice()?;
    reader.skip();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    n: u64,
    depth: u32,
}

/// Operators by how tightly they bind, the loosest first; longer ones before those that they begin with.
const LEVELS: [&[&str]; 6] = [&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, word: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn choice(&mut self) -> Option<u64> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let condition = self.level(0)?;
        let value = if self.takes("?") {
            let yes = self.choice()?;
            if !self.takes(":") {
                return None;
            }
            let no = self.choice()?;
            if condition == 0 { no } else { yes }
        } else {
            condition
        };
        self.depth -= 1;
        Some(value)
    }

    fn level(&mut self, at: usize) -> Option<u64> {
        let Some(operators) = LEVELS.get(at) else { return self.single() };
        let mut left = self.level(at + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.takes(operator)) {
            let right = self.level(at + 1)?;
            left = match *operator {
                "||" => u64::from(left != 0 || right != 0),
                "&&" => u64::from(left != 0 && right != 0),
                "==" => u64::from(left == right),
                "!=" => u64::from(left != right),
                "<=" => u64::from(left <= right),
                ">=" => u64::from(left >= right),
                "<" => u64::from(left < right),
                ">" => u64::from(left > right),
                "+" => left.wrapping_add(right),
                "-" => left.wrapping_sub(right),
                "*" => left.wrapping_mul(right),
                "/" => left.checked_div(right)?,
                _ => left.checked_rem(right)?,
            };
        }
        Some(left)
    }

    fn single(&mut self) -> Option<u64> {
        let mut negated = None;
        while self.takes("!") {
            negated = Some(negated != Some(true));
        }
        let value = if self.takes("(") {
            let value = self.choice()?;
            self.takes(")").then_some(value)?
        } else if self.takes("n") {
            self.n
        } else {
            let end = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            digits.parse().ok()?
        };
        Some(match negated {
            None => value,
            Some(true) => u64::from(value == 0),
            Some(false) => u64::from(value != 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::index;

    #[test]
    fn the_rules_of_real_languages() {
        let polish = "(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)";
        let forms: Vec<_> = [1, 2, 5, 12, 22, 112, 0].iter().map(|n| index(polish, *n)).collect();
        assert_eq!(forms, [0, 1, 2, 2, 1, 2, 2].map(Some));
        let arabic = "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5";
        let forms: Vec<_> = [0, 1, 2, 3, 103, 11, 100].iter().map(|n| index(arabic, *n)).collect();
        assert_eq!(forms, [0, 1, 2, 3, 3, 4, 5].map(Some));
        assert_eq!((index("n != 1", 1), index("n > 1", 0), index("0", 7)), (Some(0), Some(0), Some(0)));
    }

    #[test]
    fn operators_bind_as_in_c() {
        assert_eq!(index("1 + 2 * 3 == 7 && !0 || 0", 0), Some(1));
        assert_eq!(index("10 - 4 - 3", 0), Some(3));
        assert_eq!(index("!!5 + !0", 0), Some(2));
        assert_eq!(index("1 ? 2 ? 3 : 4 : 5", 0), Some(3));
    }

    #[test]
    fn what_is_no_expression_gives_nothing() {
        for rule in ["", "n n", "(n", "n ?", "n ? 1", "n %", "x", "n / 0", "n % 0", "99999999999999999999999"] {
            assert_eq!(index(rule, 1), None, "{rule}");
        }
        assert_eq!(index(&"(".repeat(100_000), 1), None);
    }
}
