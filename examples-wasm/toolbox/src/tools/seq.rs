//! `seq [-s SEP] [-w] [FIRST [STEP]] LAST`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::Io;

pub fn seq(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let mut separator = "\n".to_owned();
    let mut wide = false;
    let mut rest = arguments;
    loop {
        match rest {
            [option, value, tail @ ..] if option == "-s" => {
                value.clone_into(&mut separator);
                rest = tail;
            }
            [option, tail @ ..] if option.starts_with("-s") && option.len() > 2 => {
                option[2..].clone_into(&mut separator);
                rest = tail;
            }
            [option, tail @ ..] if option == "-w" => {
                wide = true;
                rest = tail;
            }
            _ => break,
        }
    }
    let number = |text: &String| {
        text.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| format!("invalid number '{text}'"))
    };
    let (first, step, last) = match rest {
        [last] => (1.0, 1.0, number(last)?),
        [first, last] => (number(first)?, 1.0, number(last)?),
        [first, step, last] => (number(first)?, number(step)?, number(last)?),
        _ => return Err("usage: seq [FIRST [STEP]] LAST".into()),
    };
    if step == 0.0 {
        return Err("invalid Zero increment value: '0'".into());
    }
    let decimals =
        rest.iter().filter_map(|text| text.split_once('.')).map(|(_, digits)| digits.len()).max().unwrap_or(0);
    let text = |value: f64| format!("{value:.decimals$}");
    let width = if wide { text(first).len().max(text(last).len()) } else { 0 };
    let mut count = 0u64;
    loop {
        let value = first + step * count as f64;
        // What rounding adds must not cost the last one.
        let over = (value - last) * step.signum();
        if over > step.abs() * 1e-9 {
            break;
        }
        if count > 0 {
            io.out.write_all(separator.as_bytes())?;
        }
        write!(io.out, "{:0>width$}", text(value))?;
        count += 1;
    }
    if count > 0 {
        io.out.write_all(b"\n")?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::tools::tests::{output, run_on};

    #[test]
    fn numbers() {
        assert_eq!(output("seq 3", ""), "1\n2\n3\n");
        assert_eq!(output("seq 5 -2 1", ""), "5\n3\n1\n");
        assert_eq!(output("seq -s , 2 4", ""), "2,3,4\n");
        assert_eq!(output("seq -w 9 10", ""), "09\n10\n");
        assert_eq!(output("seq 0 0.1 0.3", ""), "0.0\n0.1\n0.2\n0.3\n");
        assert_eq!(output("seq 2 1", ""), "");
        assert_eq!(run_on("seq x", "").0, 1);
    }
}
