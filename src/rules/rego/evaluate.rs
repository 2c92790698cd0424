//! Evaluates Rego under a budget: a policy that loops, breaks or asks for too much is an error, never a hang.

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use ipnet::{IpNet, Ipv4AddrRange, Ipv6AddrRange};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use super::module::{self, Module};
use crate::rules::engine::panic_text;
use crate::rules::schema::Mistake;

/// How long one evaluation may take by the engine's own clock.
pub const BUDGET: Duration = Duration::from_secs(5);

/// How much longer a builtin, which looks at no clock, may hold an evaluation back before its thread is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Elements that a builtin may make of a number or an address range.
const MAX_ELEMENTS: i64 = 100_000;

/// Rego calls nest as deep as the policy's functions do; the stack of a worker is too small for some.
const STACK: usize = 64 << 20;

type Builtin = fn(Vec<Value>) -> Result<Value, String>;

/// Builtins of the Rego engine whose results have no bound there, with their arities.
pub const EXTENSIONS: &[(&str, u8, Builtin)] =
    &[("numbers.range", 2, range), ("numbers.range_step", 3, range_step), ("net.cidr_expand", 1, cidr_expand)];

/// Modules that see each other, ready to run. A clone costs about a microsecond.
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    budget: Duration,
}

impl Program {
    /// Compiles modules that parse; all mistakes are given back, each with the path of its module.
    pub fn new(modules: &[Module], budget: Duration) -> Result<Program, Vec<(String, Mistake)>> {
        let mistakes = module::check(modules);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut engine = Engine::new();
        // What `print` says would land on standard error, in the middle of the report.
        engine.set_gather_prints(true);
        let check_interval = NonZeroU32::new(256).expect("256 is not zero");
        engine.set_execution_timer_config(ExecutionTimerConfig { limit: budget, check_interval });
        for (name, arity, builtin) in EXTENSIONS {
            let call = move |arguments| builtin(arguments).map_err(|reason| io::Error::other(reason).into());
            engine.add_extension(name.to_string(), *arity, Box::new(call)).expect("each name stands once in the list");
        }
        let wrong = |module: &Module, error: String| vec![(module.path.clone(), module::mistake(&error))];
        for module in modules {
            engine.set_rego_v0(module.v0);
            let added = engine.add_policy(module.path.clone(), module.text.clone());
            added.map_err(|error| wrong(module, error.to_string()))?;
        }
        engine.set_rego_v0(false);
        // The first evaluation compiles all modules; what it finds may be in any of them.
        let Err(error) = engine.eval_query("true".into(), false) else { return Ok(Program { engine, budget }) };
        let error = error.to_string();
        let named = |module: &&Module| error.contains(&format!("--> {}:", module.path));
        let module = modules.iter().find(named).or(modules.first());
        Err(module.map(|module| wrong(module, error.clone())).unwrap_or_default())
    }

    /// Evaluates all `rules` (`data.main.deny`) for each of `inputs`: one list of values an input, in order. The first error
    /// ends it.
    pub fn run(&self, rules: Vec<String>, inputs: Vec<Value>) -> Result<Vec<Vec<Value>>, String> {
        let mut engine = self.engine.clone();
        let (sender, receiver) = channel();
        let expected = inputs.len();
        let budget = self.budget;
        // A thread of its own, because a builtin that does not return can be left behind but not stopped.
        let work = move || {
            for input in inputs {
                engine.set_input(input);
                let mut evaluate = || -> Result<Vec<Value>, String> {
                    rules
                        .iter()
                        .map(|rule| engine.eval_rule(rule.clone()).map_err(|error| words(&error.to_string(), budget)))
                        .collect()
                };
                let values = catch_unwind(AssertUnwindSafe(&mut evaluate))
                    .unwrap_or_else(|panic| Err(format!("panicked: {}", panic_text(&*panic))));
                let is_last = values.is_err();
                if sender.send(values).is_err() || is_last {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("rego".into())
            .stack_size(STACK)
            .spawn(work)
            .map_err(|error| format!("no thread to run it on: {error}"))?;
        let mut results = Vec::with_capacity(expected);
        while results.len() < expected {
            results.push(match receiver.recv_timeout(budget + PATIENCE) {
                Ok(values) => values?,
                Err(RecvTimeoutError::Timeout) => return Err(format!("did not end within {:?}", budget + PATIENCE)),
                Err(RecvTimeoutError::Disconnected) => return Err("ended without an answer".into()),
            });
        }
        Ok(results)
    }
}

/// An error of the Rego engine as one line: `policies/x.rego:12: divide by zero`.
fn words(error: &str, budget: Duration) -> String {
    if error.contains("execution exceeded time limit") {
        return format!("takes longer than {budget:?}");
    }
    match module::place(error) {
        Some((path, mistake)) => format!("{path}:{}: {}", mistake.line, mistake.message),
        None => error.trim().replace('\n', " "),
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    value.as_i64().map_err(|_| format!("{value} is not an integer"))
}

fn range(arguments: Vec<Value>) -> Result<Value, String> {
    let [from, to] = &arguments[..] else { return Err("takes two numbers".into()) };
    count(integer(from)?, integer(to)?, 1)
}

fn range_step(arguments: Vec<Value>) -> Result<Value, String> {
    let [from, to, step] = &arguments[..] else { return Err("takes three numbers".into()) };
    match integer(step)? {
        step @ 1.. => count(integer(from)?, integer(to)?, step),
        _ => Err("the step is not a positive integer".into()),
    }
}

/// From one integer towards the other, which is included if a step meets it.
fn count(from: i64, to: i64, step: i64) -> Result<Value, String> {
    if i128::from(from).abs_diff(i128::from(to)) / u128::from(step.unsigned_abs()) >= MAX_ELEMENTS as u128 {
        return Err(format!("a range has at most {MAX_ELEMENTS} numbers"));
    }
    let step = if from <= to { step } else { -step };
    let numbers = std::iter::successors(Some(from), |number| number.checked_add(step));
    let within = numbers.take_while(|number| if from <= to { *number <= to } else { *number >= to });
    Ok(Value::from(within.map(Value::from).collect::<Vec<_>>()))
}

/// All addresses of a block with its first and last, as OPA gives them.
fn cidr_expand(arguments: Vec<Value>) -> Result<Value, String> {
    let text = arguments.first().and_then(|value| value.as_string().ok()).ok_or("takes a string")?;
    let net: IpNet = text.parse().map_err(|_| format!("{text} is not a CIDR block"))?;
    // 2^16 addresses is the largest block below the limit.
    if net.max_prefix_len() - net.prefix_len() > 16 {
        return Err(format!("{text} has more than {MAX_ELEMENTS} addresses"));
    }
    let addresses: Vec<IpAddr> = match net {
        IpNet::V4(net) => Ipv4AddrRange::new(net.network(), net.broadcast()).map(IpAddr::from).collect(),
        IpNet::V6(net) => Ipv6AddrRange::new(net.network(), net.broadcast()).map(IpAddr::from).collect(),
    };
    Ok(Value::from(addresses.iter().map(|address| Value::from(address.to_string())).collect::<Vec<_>>()))
}
