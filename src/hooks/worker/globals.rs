//! What a function can name: Starlark's own, `struct`, `json`, and the primitives.

use serde_json::Map;
use starlark::__derive_refs::components::NativeCallableComponents;
use starlark::__derive_refs::param_spec::NativeCallableParamSpec;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::{Arguments, Evaluator, ParametersSpec, ParametersSpecParam};
use starlark::syntax::{Dialect, DialectTypes};
use starlark::typing::Ty;
use starlark::values::function::NativeFunc;
use starlark::values::none::NoneType;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{FrozenValue, Value};

use super::channel::Channel;
use super::secret::Secrets;
use super::{explain, values};
use crate::hooks::call::Refusal;
use crate::hooks::end::Place;
use crate::hooks::protocol::Asked;
use crate::hooks::signature::{SIGNATURES, Signature};

/// Bazel's Starlark, and f-strings.
pub const DIALECT: Dialect = Dialect {
    enable_keyword_only_arguments: true,
    enable_types: DialectTypes::Disable,
    enable_load_reexport: false,
    enable_f_strings: true,
    ..Dialect::Standard
};

/// Everything that is there without `load`.
pub fn globals() -> Globals {
    use LibraryExtension::{Filter, Json, Map, Partial, SetType, StructType};
    let mut builder =
        GlobalsBuilder::extended_by(&[StructType, Json, Map, Filter, Partial, SetType]).with(printing);
    for signature in SIGNATURES {
        builder.set_function(signature.name, native(), None, None, None, Primitive::new(signature));
    }
    builder.build()
}

/// What the crate wants to know of a function beside its parameters.
pub fn native() -> NativeCallableComponents {
    NativeCallableComponents {
        speculative_exec_safe: false,
        rust_docstring: None,
        param_spec: NativeCallableParamSpec::for_arguments(),
        return_type: Ty::any(),
    }
}

/// A primitive as the crate calls it.
struct Primitive {
    signature: &'static Signature,
    parameters: ParametersSpec<FrozenValue>,
}

impl Primitive {
    fn new(signature: &'static Signature) -> Self {
        let required = signature.required.iter().map(|name| (*name, ParametersSpecParam::Required));
        let optional = signature.optional.iter().map(|name| (*name, ParametersSpecParam::Optional));
        let all = required.chain(optional);
        Self { signature, parameters: ParametersSpec::new_parts(signature.name, [], all, false, [], false) }
    }
}

impl NativeFunc for Primitive {
    fn invoke<'v>(
        &self,
        evaluator: &mut Evaluator<'v, '_, '_>,
        arguments: &Arguments<'v, '_>,
    ) -> starlark::Result<Value<'v>> {
        let signature = self.signature;
        self.parameters.parser(arguments, evaluator, |parser, evaluator| {
            let mut given = Map::new();
            let secrets = Secrets::of(evaluator.module());
            let read = |name: &str, value: Value<'v>| {
                let wrong = |why| explain::error(format!("{}: {name} cannot be given", signature.name), why);
                values::to_json(value, &secrets, true).map_err(wrong)
            };
            for name in signature.required {
                given.insert((*name).to_owned(), read(name, parser.next()?)?);
            }
            for name in signature.optional {
                let value: Option<Value<'v>> = parser.next_opt()?;
                if let Some(value) = value.filter(|value| !value.is_none()) {
                    given.insert((*name).to_owned(), read(name, value)?);
                }
            }
            call(signature.name, given, evaluator)
        })
    }
}

fn call<'v>(
    name: &str,
    arguments: Map<String, serde_json::Value>,
    evaluator: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let place =
        evaluator.call_stack_top_location().map(|span| Place { column: None, ..explain::place(&span) });
    let answer = Channel.call(Asked { name: name.to_owned(), arguments, place });
    let answer = answer.map_err(|Refusal { what, why }| explain::error(what, why))?;
    Ok(values::answer(&answer, evaluator.heap()))
}

#[starlark::starlark_module]
fn printing(builder: &mut GlobalsBuilder) {
    /// Tells people the values, as `log` does.
    fn print<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        #[starlark(require = named, default = " ")] sep: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let words: Vec<String> = args.items.iter().map(|value| value.to_str()).collect();
        let text = serde_json::Value::from(words.join(sep));
        call("log", Map::from_iter([("text".to_owned(), text)]), eval)?;
        Ok(NoneType)
    }
}
