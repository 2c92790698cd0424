//! What Terraform's functions, operators and conversions yield, as terraform 1.11 answers: value and type, or a refusal.

#![allow(clippy::unwrap_used)]

use gate::frontend::Settings;
use gate::frontend::terraform::evaluate_all;
use gate::frontend::terraform::value::lower::encode_json;
use gate::frontend::terraform::value::{Marks, Val};
use gate::source::Sources;

/// As the threads of a scan have it.
const STACK_BYTES: usize = 64 << 20;

fn evaluate(root: &std::path::Path, expressions: &[&str]) -> Vec<Result<Val, String>> {
    let settings = Settings { root: root.to_path_buf(), ..Settings::default() };
    let expressions: Vec<String> = expressions.iter().map(|text| text.to_string()).collect();
    let work = move || {
        let mut answers = Vec::new();
        evaluate_all(&settings, &Sources::default(), &[], expressions.into_iter(), &mut |answer| answers.push(answer));
        answers
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap()
}

fn shown(answer: &Result<Val, String>) -> String {
    match answer {
        Err(_) => "refused".into(),
        Ok(val) if val.has_unknown() => "unknown".into(),
        Ok(val) => {
            let sensitive = if val.deep_marks().has(Marks::SENSITIVE) { " (sensitive)" } else { "" };
            format!("{} : {}{sensitive}", encode_json(val), val.ty())
        }
    }
}

#[test]
fn functions_yield_what_terraform_yields() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
    let (expressions, wanted): (Vec<&str>, Vec<&str>) =
        lines.chunks(2).map(|pair| (pair[0], pair[1].trim_start())).unzip();
    let answers = evaluate(folder.path(), &expressions);
    let wrong: Vec<String> = expressions
        .iter()
        .zip(&answers)
        .zip(&wanted)
        .filter(|((_, answer), wanted)| shown(answer) != **wanted)
        .map(|((expression, answer), wanted)| {
            format!("{expression}\n  wanted {wanted}\n  is     {} {answer:?}", shown(answer))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_grows_without_end_is_refused_soon() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("again.tftpl"), "${templatefile(\"again.tftpl\", {})}").unwrap();
    let product = "setproduct(range(1000), range(1000), range(1000))".to_string();
    let nested = format!("setproduct({0}, {0}, {0})", "setproduct(range(90), range(90))");
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let parentheses = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let sum = format!("1{}", " + 1".repeat(10_000));
    let nots = format!("{}true", "!".repeat(10_000));
    let templates = format!("{}1{}", "\"${".repeat(10_000), "}\"".repeat(10_000));
    let json = format!("jsondecode(\"{}{}\")", "[".repeat(10_000), "]".repeat(10_000));
    let yaml = format!("yamldecode(\"{}{}\")", "[".repeat(10_000), "]".repeat(10_000));
    let mut bomb = "a: &a0 [x,x,x,x,x,x,x,x,x,x]\\n".to_string();
    for level in 1..10 {
        let again = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{again}]\\n"));
    }
    let bomb = format!("yamldecode(\"{bomb}\")");
    let expressions = [
        "range(1e9)",
        "range(0, 1, 1e-9)",
        "range(1, 1e300, 0.5)",
        &product,
        &nested,
        "format(\"%999999999d\", 1)",
        "format(\"%.999999999f\", 1)",
        "indent(999999999, \"a\")",
        "templatefile(\"again.tftpl\", {})",
        "9999999999e9999999999",
        "parseint(\"z\", 1e9)",
        "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]",
        "[for a in range(1000) : length([for b in range(1000) : length([for c in range(1000) : a])])]",
        "replace(replace(replace(join(\"\", range(1000)), \"1\", join(\"\", range(1000))), \"1\", join(\"\", range(1000))), \"1\", join(\"\", range(1000)))",
        "regex(\"((((a{100}){100}){100}){100})\", \"a\")",
        &deep,
        &parentheses,
        &nots,
        &templates,
        &json,
        &yaml,
        &bomb,
    ];
    for expression in expressions {
        let answers = evaluate(folder.path(), &[expression]);
        let head: String = expression.chars().take(60).collect();
        assert!(answers[0].is_err(), "{head}");
    }
    // What is merely long is no trouble, or refused; either soon.
    evaluate(folder.path(), &[&sum, "regexall(\"(a*)*(b|a*)+$\", join(\"\", [for x in range(1000) : \"a\"]))"]);
}

/// A key made for this test alone, in the three forms that openssl and ssh-keygen write, and a text encrypted for it.
#[test]
fn rsadecrypt_reads_every_form_of_a_private_key() {
    let folder = tempfile::tempdir().unwrap();
    let armor = |label: &str, headers: &str, body: &str| {
        format!("-----BEGIN {label} KEY-----\n{headers}{body}-----END {label} KEY-----\n")
    };
    let pkcs1 = include_str!("keys/pkcs1.b64");
    let keys = [
        ("pkcs1.pem", armor("RSA PRIVATE", "", pkcs1)),
        ("pkcs8.pem", armor("PRIVATE", "", include_str!("keys/pkcs8.b64"))),
        ("openssh.pem", armor("OPENSSH PRIVATE", "", include_str!("keys/openssh.b64"))),
        ("locked.pem", armor("RSA PRIVATE", "Proc-Type: 4,ENCRYPTED\n\n", pkcs1)),
    ];
    for (name, text) in keys {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let cipher = include_str!("keys/cipher.b64");
    let other = format!("AA{}", &cipher[2..]);
    let call = |cipher: &str, key: &str| format!("rsadecrypt({cipher:?}, file({key:?}))");
    let expressions = [
        call(cipher, "pkcs1.pem"),
        call(cipher, "pkcs8.pem"),
        call(cipher, "openssh.pem"),
        call(&other, "pkcs1.pem"),
        call("!!", "pkcs1.pem"),
        call(cipher, "locked.pem"),
        format!("rsadecrypt({cipher:?}, \"no key\")"),
    ];
    let expressions: Vec<&str> = expressions.iter().map(String::as_str).collect();
    let answers: Vec<String> = evaluate(folder.path(), &expressions).iter().map(shown).collect();
    assert_eq!(answers[..3], ["\"hello gate\" : string"; 3]);
    assert_eq!(answers[3..], ["refused"; 4]);
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_root_is_read() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    let folder = outside.path().join("root");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("../secret.txt", folder.join("link.txt")).unwrap();
    std::os::unix::fs::symlink("..", folder.join("up")).unwrap();
    let absolute = format!("file({:?})", outside.path().join("secret.txt").to_str().unwrap());
    let expressions = [
        "file(\"../secret.txt\")",
        "file(\"link.txt\")",
        "file(\"up/secret.txt\")",
        "file(\"root/../../secret.txt\")",
        "filebase64(\"link.txt\")",
        "filesha256(\"../secret.txt\")",
        "fileexists(\"../secret.txt\")",
        "templatefile(\"link.txt\", {})",
        "fileset(\"..\", \"*\")",
        "fileset(\"up\", \"*.txt\")",
        &absolute,
        "file(\"/etc/passwd\")",
    ];
    for (expression, answer) in expressions.iter().zip(evaluate(&folder, &expressions)) {
        assert!(answer.is_err(), "{expression} is {answer:?}");
    }
    let found = evaluate(&folder, &["fileset(\".\", \"**\")"]);
    assert_eq!(shown(&found[0]), "[] : set(string)");
}

/// An expression and, on the next line, what terraform says.
const TABLE: &str = r##"# numbers
-4 * 0
  -0 : number
0 * 4
  0 : number
0 / -4
  -0 : number
0 % 0
  0 : number
0 % -4
  0 : number
-5 + 5
  0 : number
[{a = [1]}].*.a.*
  refused
[{a = [{b = 1}]}][*].a.*.b
  [[1]] : tuple([tuple([number])])
1/0
  +Inf : number
-5/0 < -1e400
  true : bool
0/0
  refused
1/0 - 1/0
  refused
(1/0) * 0
  refused
1 % (1/0)
  refused
5/(-1/0)
  -0 : number
"a${1/0}"
  "a+Inf" : string
jsonencode({a = 1/0})
  refused
ceil(-1/0)
  -Inf : number
abs(-1/0)
  +Inf : number
max(1/0, 1)
  +Inf : number
log(0, 10)
  -Inf : number
pow(10, 400)
  +Inf : number
log(-1, 10)
  refused
format("%d", 1/0)
  refused
format("%f|%08.2f|%6.1g|% e", 1/0, -1/0, 1/0, 1/0)
  "+Inf|    -Inf|  +Inf| Inf" : string
format("%v", [1/0])
  refused
signum(1/0)
  refused
range(1/0)
  refused
tonumber("-inf")
  -Inf : number
tonumber("INF")
  refused
yamldecode("a: .inf").a
  +Inf : number
["a"][1/0]
  refused
substr("abc", 0, 1/0)
  refused
{(1/0) = "a"}
  {"+Inf":"a"} : object({+Inf=string})
yamlencode(1/0)
  "+Inf\n...\n" : string
abs(-12.4)
  12.4 : number
ceil(5.1)
  6 : number
ceil(-0.5)
  0 : number
floor(-4.9)
  -5 : number
log(16, 2)
  4 : number
max(3, "17", 5)
  17 : number
min([4, 2, 9]...)
  2 : number
parseint("fF", 16)
  255 : number
parseint("-1011", 2)
  -11 : number
parseint("12", 2)
  refused
pow(2, 10)
  1024 : number
pow(2, -2)
  0.25 : number
signum(-13)
  -1 : number
sum([1, 2.5, "3"])
  6.5 : number
sum([])
  refused
length([1]) / length([1, 2, 3])
  0.33333333333333333334 : number
7 % -3
  1 : number
-7 % 3
  -1 : number
1 / 3 * 3 == 1
  true : bool
parseint("-0", 10)
  0 : number
abs(-0)
  0 : number
tonumber("-0")
  -0 : number
jsondecode("[-0.0]")
  [-0] : tuple([number])
pow(1e-7, 4)
  0.00000000000000000000000000009999999999999996 : number
pow(2, -3)
  0.125 : number
pow(-2, 3)
  -8 : number
# text
chomp("end\r\n\n")
  "end" : string
endswith("main.tf", ".tf")
  true : bool
startswith("main.tf", "mai")
  true : bool
strcontains("policy", "lic")
  true : bool
indent(2, "a\nb")
  "a\n  b" : string
join("-", ["a", "b"], ["c"])
  "a-b-c" : string
join(",", [null])
  refused
lower("ÄÖ ǅ")
  "äö ǆ" : string
upper("straße")
  "STRAßE" : string
title("hello wide_world 2nd")
  "Hello Wide_world 2nd" : string
split(",", "a,,b")
  ["a","","b"] : list(string)
split("", "añb")
  ["a","ñ","b"] : list(string)
strrev("añ👨‍👩‍👧")
  "👨‍👩‍👧ña" : string
substr("grüße", 2, 2)
  "üß" : string
substr("hello", -3, -1)
  "llo" : string
trim("--x--", "-")
  "x" : string
trimprefix("aab", "a")
  "ab" : string
trimsuffix("baa", "a")
  "ba" : string
trimspace("\t x \n")
  "x" : string
replace("1.2.3", ".", "-")
  "1-2-3" : string
replace("ab12", "/([a-z]+)([0-9]+)/", "$2-$1")
  "12-ab" : string
# format
format("%05d|%-4s|%+.2f", 42, "x", 1.005)
  "00042|x   |+1.00" : string
format("%.20f", 0.1)
  "0.10000000000000000000" : string
format("%x %X %o %b", 255, 255, 8, 5)
  "ff FF 10 101" : string
format("%#v", { b = [true], a = null })
  "{\"a\":null,\"b\":[true]}" : string
format("%q", "a\"b")
  "\"a\\\"b\"" : string
format("%e %g %g", 123456.789, 1e21, 0.00001)
  "1.234568e+05 1e+21 1e-05" : string
format("%[2]s %[1]s", "a", "b")
  "b a" : string
format("%s")
  refused
format("%d", 1.5)
  refused
format("%.2s|%5s|%.0s", "hello", "ab", "kept")
  "he|   ab|kept" : string
formatlist("%s=%d", ["a", "b"], [1, 2])
  ["a=1","b=2"] : list(string)
formatlist("%s-%s", "x", ["a", "b"])
  ["x-a","x-b"] : list(string)
formatlist("%s-%s", ["a"], ["b", "c"])
  refused
# collections
alltrue([true, "true"])
  true : bool
alltrue([])
  true : bool
anytrue([false, "true"])
  true : bool
chunklist(["a", "b", "c"], 2)
  [["a","b"],["c"]] : list(list(string))
coalesce(null, "", "x", 1)
  "x" : string
coalesce(null, null)
  refused
coalescelist([], [1], [2])
  [1] : tuple([number])
compact(["a", "", null, "b"])
  ["a","b"] : list(string)
concat([1], tolist(["a"]), [])
  [1,"a"] : tuple([number, string])
concat(tolist([1]), tolist(["a"]))
  ["1","a"] : list(string)
contains(["1", "2"], 1)
  false : bool
contains(tolist([1, 2]), 2)
  true : bool
distinct(["b", "a", "b"])
  ["b","a"] : list(string)
element(["a", "b", "c"], 4)
  "b" : string
element(["a", "b", "c"], -1)
  refused
element(tolist(["a", "b", "c"]), -1)
  "c" : string
element([], 0)
  refused
flatten([[1, [2]], [], toset(["a"])])
  [1,2,"a"] : tuple([number, number, string])
index(["a", "b"], "b")
  1 : number
index(["a"], "z")
  refused
keys({ b = 1, a = 2 })
  ["a","b"] : tuple([string, string])
length("a\u0301👨‍👩‍👧")
  2 : number
length({ a = 1 })
  1 : number
lookup({ a = 1 }, "b", "none")
  "none" : string
lookup(tomap({ a = 1 }), "b", "none")
  refused
matchkeys(["i-1", "i-2", "i-3"], ["a", "b", "a"], ["a"])
  ["i-1","i-3"] : list(string)
merge({ a = 1 }, null, { b = "x" })
  {"a":1,"b":"x"} : object({a=number, b=string})
merge(tomap({ a = 1 }), tomap({ a = 2 }))
  {"a":2} : map(number)
merge(tostring(null))
  refused
one([])
  null : dynamic
one(["only"])
  "only" : string
one([1, 2])
  refused
range(1, 8, 3)
  [1,4,7] : list(number)
range(3, 0)
  [3,2,1] : list(number)
range(1, 5, -1)
  refused
reverse(["a", 1])
  [1,"a"] : tuple([number, string])
slice(["a", "b", "c"], 1, 3)
  ["b","c"] : tuple([string, string])
slice(["a"], 1, 0)
  refused
sort(["b", "B", "a", "10", "9"])
  ["10","9","B","a","b"] : list(string)
transpose({ a = ["1", "2"], b = ["2"] })
  {"1":["a"],"2":["a","b"]} : map(list(string))
values({ b = "x", a = 1 })
  [1,"x"] : tuple([number, string])
zipmap(["a", "b"], [1, "x"])
  {"a":1,"b":"x"} : object({a=number, b=string})
zipmap(["a"], tolist([1]))
  {"a":1} : map(number)
zipmap(["a"], [])
  refused
setintersection(["a", "b"], ["b", "c"])
  ["b"] : set(string)
setsubtract([1, 2], ["2"])
  ["1"] : set(string)
setunion(["b"], ["a"], ["b"])
  ["a","b"] : set(string)
setunion([null], [{ a = 1 }])
  refused
setproduct(["a", "b"], [1, 2])
  [["a",1],["a",2],["b",1],["b",2]] : list(tuple([string, number]))
setproduct(toset(["a"]), [true])
  [["a",true]] : set(tuple([string, bool]))
setproduct(["a"], [])
  [] : list(tuple([string, dynamic]))
# conversions
tobool("true")
  true : bool
tobool("True")
  refused
tolist(["a", 1])
  ["a","1"] : list(string)
tolist([[1], []])
  [[1],[]] : list(list(number))
tolist([1, {}])
  refused
tolist(null)
  null : list(dynamic)
tomap({ a = 1, b = "x" })
  {"a":"1","b":"x"} : map(string)
tomap({ a = [1], b = null })
  {"a":[1],"b":null} : map(tuple([number]))
tomap(tostring(null))
  refused
tonumber("1e3")
  1000 : number
tonumber("0x1f")
  refused
tonumber("")
  refused
toset(["b", "a", "b", 1])
  ["1","a","b"] : set(string)
tostring(1.50)
  "1.5" : string
tostring([])
  refused
sensitive("x")
  "x" : string (sensitive)
nonsensitive(sensitive("x"))
  "x" : string
issensitive(sensitive(1))
  true : bool
issensitive([sensitive(1)])
  false : bool
can(1 + "x")
  false : bool
try([][0], "otherwise")
  "otherwise" : string
ephemeralasnull("x")
  "x" : string
# conditionals
true ? 1 : "x"
  "1" : string
false ? 1 : "x"
  "x" : string
true ? [] : [1]
  [] : list(number)
true ? [1] : ["a"]
  ["1"] : tuple([string])
true ? [1, "a"] : [true, null]
  refused
true ? [1] : [1, "a"]
  ["1"] : list(string)
true ? { a = 1 } : { b = "x" }
  {"a":"1"} : map(string)
true ? { a = 1 } : { a = "x" }
  {"a":"1"} : object({a=string})
true ? { a = 1 } : [1]
  refused
true ? tomap({}) : { a = true }
  {} : map(bool)
true ? tolist([]) : ["a"]
  [] : list(string)
true ? toset(["a"]) : ["b"]
  ["a"] : set(string)
true ? null : tolist(["a"])
  null : list(string)
[for x in [1, 2, 3] : x * 2 if x != 2]
  [2,6] : tuple([number, number])
{ for k, v in { a = 1, b = 2 } : v => k }
  {"1":"a","2":"b"} : object({1=string, 2=string})
{ for s in ["ab", "ac", "b"] : substr(s, 0, 1) => s... }
  {"a":["ab","ac"],"b":["b"]} : object({a=tuple([string, string]), b=tuple([string])})
{ for s in ["a", "a"] : s => 1 }
  refused
[{ a = 1 }, { a = 2 }][*].a
  [1,2] : tuple([number, number])
{ a = 1 }[*]
  [{"a":1}] : tuple([object({a=number})])
null[*]
  [] : tuple([])
tolist([{ a = [1, 2] }, { a = [] }])[*].a[*]
  [[1,2],[]] : list(list(number))
# encodings
base64decode("aGk=")
  "hi" : string
base64decode("/w==")
  refused
base64encode("häß")
  "aMOkw58=" : string
textencodebase64("é", "UTF-16LE")
  "6QA=" : string
textdecodebase64("6QA=", "UTF-16LE")
  "é" : string
urlencode("a b/é&~*")
  "a+b%2F%C3%A9%26~%2A" : string
csvdecode("a,b\n1,\"x,\"\"y\"\"\"\n\n2,\n")
  [{"a":"1","b":"x,\"y\""},{"a":"2","b":""}] : list(object({a=string, b=string}))
csvdecode("a\nx\"y\n")
  refused
csvdecode("a\n\"x\"y\n")
  refused
csvdecode("a,b\n1\n")
  refused
csvdecode("a,a\n1,2\n")
  refused
jsondecode("{\"b\": [1.50, null], \"a\": \"\\ud83d\\ude00\\ud800\"}")
  {"a":"😀�","b":[1.5,null]} : object({a=string, b=tuple([number, dynamic])})
jsondecode("123456789012345678901234567890.5")
  123456789012345678901234567890.5 : number
jsondecode("01")
  refused
jsondecode("[1,]")
  refused
jsonencode({ b = "<&>", a = [1.0, null, true], c = tomap({}) })
  "{\"a\":[1,null,true],\"b\":\"\\u003c\\u0026\\u003e\",\"c\":{}}" : string
jsonencode(1e21)
  "1000000000000000000000" : string
yamldecode("a: &x [1, yes, ~]\nb: *x\nc: 0x1F\n")
  {"a":[1,true,null],"b":[1,true,null],"c":31} : object({a=tuple([number, bool, dynamic]), b=tuple([number, bool, dynamic]), c=number})
yamldecode("\ta: 1")
  refused
yamldecode("{<<: {a: 1, b: 2}, b: 3}")
  {"a":1,"b":3} : object({a=number, b=number})
yamldecode("a: 1\n---\nb: 2\n")
  refused
yamlencode({ list = ["a", 1, []], text = "x\ny\n", "" = null })
  "\"\": null\n\"list\":\n- \"a\"\n- 1\n- []\n\"text\": |\n  x\n  y\n" : string
yamlencode("plain")
  "\"plain\"\n" : string
# hashes
md5("gate")
  "63d721d24d2dde776e05e4b8c47f08a3" : string
sha1("gate")
  "3c5b492776742690efb6a0f1fd8508693400e2cc" : string
sha256("gate")
  "c974e17b8e7321ce8c12983de3d0ed4a289821f579bbe0925b0181a4bc8e8d80" : string
sha512("gate")
  "bc2a235f2e2cb06b3c9df4932fc60146dd0b4771943ae86a6612d222f3aaf8027b357383569245aabd8508b0b6804a2bb5663bbde49567d663d3c9c737983f0b" : string
base64sha256("gate")
  "yXThe45zIc6MEpg949DtSiiYIfV5u+CSWwGBpLyOjYA=" : string
base64sha512("gate")
  "vCojXy4ssGs8nfSTL8YBRt0LR3GUOuhqZhLSIvOq+AJ7NXODVpJFqr2FCLC2gEortWY7veSVZ9Zj08nHN5g/Cw==" : string
uuidv5("dns", "example.com")
  "cfbff0d1-9375-5685-968c-48ce8b15ae17" : string
uuidv5("nothing", "x")
  refused
# networks
cidrhost("10.12.112.0/20", 16)
  "10.12.112.16" : string
cidrhost("10.12.112.0/20", -1)
  "10.12.127.255" : string
cidrhost("10.0.0.0/30", 4)
  refused
cidrnetmask("172.16.0.0/12")
  "255.240.0.0" : string
cidrnetmask("fd00::/8")
  refused
cidrsubnet("172.16.0.0/12", 4, 2)
  "172.18.0.0/16" : string
cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)
  "fd00:fd12:3456:7800:a200::/72" : string
cidrsubnet("10.0.0.0/8", 2, 4)
  refused
cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)
  ["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24","10.1.48.0/20"] : list(string)
cidrsubnets("10.0.0.0/30", 1, 1, 1)
  refused
cidrsubnets("::/0", 1, 1, 1)
  refused
cidrsubnets("0.0.0.0/0", 8)
  refused
cidrsubnets("8000::/1", 1, 1)
  ["8000::/2","c000::/2"] : list(string)
cidrsubnets("8000::/1", 1, 1, 1)
  refused
# patterns
regex("[a-z]+", "53453453.345345aaabbbccc23454")
  "aaabbbccc" : string
regex("(\\d+)-(\\d+)", "2019-02")
  ["2019","02"] : tuple([string, string])
regex("(?P<year>\\d+)-(?P<month>\\d+)", "2019-02")
  {"month":"02","year":"2019"} : object({month=string, year=string})
regex("x", "abc")
  refused
regex("(a)|(b)", "b")
  [null,"b"] : tuple([string, string])
regexall("[a-z]", "1a2b")
  ["a","b"] : list(string)
regexall("{", "a{b")
  ["{"] : list(string)
regexall("a{,2}", "a{,2}")
  ["a{,2}"] : list(string)
regex("a**", "a")
  refused
regex("a{1001}", "a")
  refused
regex("[[a]+", "[a[")
  "[a[" : string
regex("[a&&b]+", "&a&b")
  "\u0026a\u0026b" : string
regex("\\<a", "<a")
  "\u003ca" : string
regex("(?x)a", "a")
  refused
regex("\\101", "A")
  "A" : string
regex("\\w+", "é_a")
  "_a" : string
regex("(?i)HELLO", "say hello")
  "hello" : string
regex("\\Qa.b\\E", "a.b")
  "a.b" : string
regex("(?=a)", "a")
  refused
# times
formatdate("EEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")
  "Tue, 02 Jan 2018 23:12:01 UTC" : string
formatdate("h 'o''clock' aa", "2018-01-02T23:12:01-07:00")
  "23 o'clock pm" : string
formatdate("YYYQ", "2018-01-02T23:12:01Z")
  refused
timeadd("2017-11-22T00:00:00Z", "-10m")
  "2017-11-21T23:50:00Z" : string
timeadd("2017-11-22T00:00:00+01:00", "1h30m1.5s")
  "2017-11-22T01:30:01+01:00" : string
timeadd("2017-11-22", "1h")
  refused
timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00+01:00")
  0 : number
timecmp("2024-06-30T23:59:60Z", "2024-06-30T23:59:59Z")
  refused
# paths
basename("a/b.txt")
  "b.txt" : string
basename("/")
  "/" : string
dirname("a/b/c.txt")
  "a/b" : string
dirname("c.txt")
  "." : string
abspath("/a/../b//c/.")
  "/b/c" : string
pathexpand("a/~")
  "a/~" : string
fileexists("missing.txt")
  false : bool
# templates
"%{ for s in ["a", "b"] ~} ${s}, %{ endfor ~} ."
  "a, b, ." : string
"%{ if true ~} yes %{ else } no %{ endif }"
  "yes " : string
"$${a} %%{b} $c %d"
  "${a} %{b} $c %d" : string
"${[1]}"
  [1] : tuple([number])
"a${null}"
  refused
"\uD83D"
  refused
"é" == "e\u0301"
  true : bool
1 == "1"
  false : bool
null == tostring(null)
  true : bool
tolist(["a"]) == ["a"]
  false : bool
!"true"
  false : bool
-"5"
  -5 : number
1 + "x"
  refused
true && null
  refused
0.1 + 0.2
  0.3 : number
100000000000000000000000 + 1
  100000000000000000000001 : number
# address blocks beside the usual
cidrsubnet("192.168.1.0/24", 4, -1)
  "0.0.0.16/28" : string
cidrsubnet("10.1.0.0/16", -8, 1)
  "11.1.0.0/8" : string
cidrsubnet("10.1.0.0/16", -20, 0)
  "\u003cnil\u003e" : string
cidrsubnet("::/0", -1, 8)
  refused
cidrsubnet("fd00::/8", 64, -3)
  "::300:0:0:0/72" : string
cidrsubnet("fd00::/8", 70, 18446744073709551616)
  "fd04::/78" : string
cidrsubnet("10.0.0.0/8", 8, 256)
  refused
cidrsubnet("::ffff:10.0.0.0/104", 3, 2)
  "10.64.0.0/11" : string
cidrsubnet("::/80", 16, 65535)
  "0.0.0.0/0" : string
cidrnetmask("::ffff:10.0.0.0/104")
  "ffff:ffff:ffff:ffff:ffff:ffff:ff00:0" : string
cidrnetmask("::ffff:10.0.0.0/90")
  refused
cidrhost("::ffff:10.0.0.0/104", 5)
  "0:5::ffff:a00:0" : string
cidrhost("10.0.0.0/8", -16777216)
  "10.0.0.0" : string
cidrhost("10.0.0.0/8", -16777217)
  refused
cidrhost("fd00::/8", 18446744073709551616)
  "fd00:0:0:1::" : string
cidrsubnets("::ffff:10.0.0.0/104", 3, 2)
  refused
# classes of characters
regexall("\\p{Greek}", "aα")
  ["α"] : list(string)
regexall("\\p{^Lu}", "aA")
  ["a"] : list(string)
regexall("\\P{^Lu}", "aA")
  ["A"] : list(string)
regexall("[\\p{Greek}\\pN]", "1aα")
  ["1","α"] : list(string)
regexall("\\p{greek}", "aα")
  refused
regexall("\\p{Letter}", "a")
  refused
regexall("\\p{Alphabetic}", "a")
  refused
# the type of a conditional is that of both arms, also of one that fails
true ? ["b", "a"] : [{ a = 1 }, { b = 2 }, 3][*].a
  ["b","a"] : list(string)
true ? [{}] : [toset([{}, [1]]), toset([])]
  refused
false ? { for v in ["b", "a", "b"] : v => 1 } : { x = 1 }
  {"x":1} : map(number)
true ? ["a"] : [{ for s in [null, "a"] : substr(s, 0, 1) => s... }, "a"]
  ["a"] : list(string)
false ? { a = range(9223372036854775807) } : { b = toset([]) }
  {"b":[]} : map(set(dynamic))
true ? [[1], [2]] : tolist([])
  [[1],[2]] : list(tuple([number]))
true ? [[1], [2, 3]] : tolist([])
  refused
true ? [1, "a"] : tolist([])
  ["1","a"] : list(string)
true ? { a = [1], b = [2, 3] } : tomap({})
  refused
true ? [[1], [2, 3]] : toset([])
  [[1],[2,3]] : set(list(number))
true ? [[1, "a"], [true]] : [1, "a", true].*.a
  [["1","a"],["true"]] : list(list(string))
# what fails though there is no element
tolist(toset([]))[*].a
  [] : list(dynamic)
regexall("x", "y")[*].a
  refused
[for v in [] : v if tobool(1.5)]
  refused
# marks
merge(values(sensitive(tomap({})))...)
  {} : object({})
max(sensitive([1, 2])...)
  2 : number (sensitive)
coalesce(["a"], [sensitive("b")])
  ["a"] : tuple([string]) (sensitive)
setproduct([1], [sensitive(1), 2], [])
  [] : list(tuple([number, number, dynamic]))
setproduct(toset([1]), [sensitive(1), 2])
  [[1,1],[1,2]] : set(tuple([number, number])) (sensitive)
# null as an argument
format("%d %z", null, 1)
  unknown
format("%v", tostring(null))
  "null" : string
format("%s", tostring(null))
  refused
formatlist("%v", [null])
  ["null"] : list(string)
formatlist("%s", [null])
  refused
coalescelist([1], "a")
  refused
coalescelist(tolist(null), [1])
  [1] : tuple([number])
concat(tolist([[1], []]), tolist([]))
  [[1],[]] : list(list(number))
fileset("missing", "[")
  [] : set(string)
# verbs
format("%5.0d|", 0)
  "|" : string
format("%05.3d", 7)
  "  007" : string
format("%+.3d", 7)
  "+007" : string
format("%-8.3d|", -3)
  "-003    |" : string
format("%#010x", 255)
  "0x000000ff" : string
format("%#x", -255)
  "-0xff" : string
format("%d", -0)
  "0" : string
format("%+v", 1)
  "1" : string
format("%05v", 12)
  "00012" : string
# types are looked at before values
compact(regexall("(x) (y)", "a"))
  refused
toset(null)[*].a
  refused
contains([1, 2], [timestamp()])
  false : bool
lookup(["a"], timestamp(), {})
  refused
matchkeys([1], [timestamp()], [[1]])
  refused
merge(sensitive([null])...)
  {} : object({})
contains(tolist(["1", "2"]), 2)
  false : bool
contains(tolist([[1]]), [1])
  true : bool
contains(tolist([[1], []]), toset([]))
  false : bool
lookup({ b = 1 }, "b", sensitive(2))
  1 : number
lookup({ a = 1 }, "b", sensitive(2))
  2 : number (sensitive)
setproduct(tomap({}), toset(split(",", timestamp())), [1])
  refused
# sums are rounded once
abs(1e-7 - 0.2)
  0.19999990000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001 : number
range(0.1, -2)
  [0.1,-0.9,-1.9] : list(number)
1 - 0.9
  0.10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003 : number
-0 + 0
  0 : number
# what is not known
try(timestamp().a, "x")
  "x" : string
tonumber(timestamp()) ? 1 : 2
  unknown
toset(split(",", timestamp())).*.a
  unknown
toset(split(",", timestamp())) == 1
  false : bool
"a-${split(",", timestamp())}"
  unknown
# marks and types of what is gone through
index([sensitive("a"), 1], 1)
  1 : number (sensitive)
flatten([null, tolist([]), sensitive([1, 2])])
  [null,1,2] : tuple([dynamic, number, number]) (sensitive)
"%{ if true }a%{ else }${sensitive("x")}%{ endif }"
  "a" : string (sensitive)
max(-0, 0)
  -0 : number
min(0, -0)
  0 : number
sum(tomap({ a = 1, b = tonumber(timestamp()) }))
  refused
setunion([[], [[1]]], [tonumber(timestamp()), "1"])
  refused
tolist([]) == slice(tolist([1]), 0, 0)
  false : bool
index(tolist([[1], []]), tolist([]))
  refused
"pre-${timestamp()}" == "x"
  false : bool
timeadd("2024-01-01T00:00:00+24:00", "1h")
  refused
timecmp("2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00Z")
  -1 : number
[false ? (false ? tolist([]) : [[], [[1]]]) : toset(["z", "y"])]
  [["y","z"]] : tuple([list(string)])
sum(timestamp())
  unknown
"x${timestamp()}" == "y"
  unknown
"x${timestamp()}" == ""
  unknown
"xy${timestamp()}" == "z"
  false : bool
"x, ${timestamp()}" == "x,"
  false : bool
"x=${timestamp()}" == "x"
  unknown
slice([1, 2], 0, length(timestamp()))
  unknown
slice([1, 2], 3, length(timestamp()))
  refused
slice([1, 2], length(timestamp()), 5)
  refused
(timestamp() == "x") == [null]
  false : bool
split(",", timestamp()) == [jsondecode(timestamp())]
  false : bool
(timestamp() == "x") == { a = null }
  false : bool
index([{ a = 1 }], timestamp())
  unknown
true[jsondecode(timestamp())]
  unknown
true[timestamp()]
  refused
element(0, length(timestamp()))
  refused
element([], length(split(",", timestamp())))
  unknown
true ? toset([{ a = 1 }]) : matchkeys(tolist([[1], []]), ["a", "b"], [1]).*.a
  [{"a":1}] : list(object({a=number}))
"%{ if false }x${{ a = sensitive(true) }}%{ else }?%{ endif }"
  "?" : string
concat({ a = 1 }, jsondecode(timestamp()))
  unknown
contains(0, jsondecode(timestamp()))
  unknown
index({}, jsondecode(timestamp()))
  unknown
setproduct(jsondecode(timestamp()))
  unknown
# what expands
try(["a", "b"]...)
  "a" : string
try(tomap({ k = "v" })...)
  refused
try(null...)
  refused
try(tonumber("x"), ["a"]...)
  "a" : string
can(["a"]...)
  true : bool
can(["a", "b"]...)
  refused
# character sets
textdecodebase64("/w==", "US-ASCII")
  refused
textencodebase64("é", "us")
  refused
textdecodebase64("gA==", "ISO-8859-1")
  "" : string
textdecodebase64("gA==", "windows-1252")
  "€" : string
textencodebase64("a", "UTF-16")
  "/v8AYQ==" : string
textdecodebase64("//5hAA==", "UTF-16")
  "a" : string
textencodebase64("a", "utf8")
  refused
# lists of nothing but null
transpose({ a = ["x"], b = null })
  refused
concat(tolist([null]), tolist([1]))
  [null,1] : list(number)
concat(distinct([null]), [{ a = 1 }])
  [null,{"a":1}] : tuple([dynamic, object({a=number})])
alltrue([sensitive(true), false])
  false : bool (sensitive)
issensitive(timestamp())
  unknown
issensitive(sensitive(timestamp()))
  true : bool
# elements that are not known
alltrue([false, timestamp() == "a"])
  false : bool
alltrue([timestamp() == "a", false])
  unknown
anytrue([timestamp() == "a", true])
  true : bool
coalescelist(["a"], [timestamp()])
  ["a"] : tuple([string])
coalescelist(["a"], jsondecode(timestamp()))
  ["a"] : tuple([string])
length(sort(["a", timestamp()]))
  2 : number
sort(["a", timestamp()])[0]
  unknown
one(toset(["b", timestamp()]))
  unknown
tolist(toset(["b", timestamp()]))[0]
  unknown
element(tolist(toset(["b", timestamp()])), 0)
  unknown
contains(setunion(["a"], [timestamp()]), "a")
  true : bool
length(setunion(["a"], [timestamp()]))
  unknown
"##;
