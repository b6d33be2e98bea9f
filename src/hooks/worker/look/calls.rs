//! Calls of primitives, compared with what those take.

use std::collections::BTreeSet;

use starlark::codemap::Span;
use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{ArgumentP, AstArgument, AstExpr, Expr, StmtP};
use starlark_syntax::syntax::module::AstModuleFields;

use crate::domain::suggest;
use crate::hooks::functions::functions;
use crate::hooks::signature::{Signature, find};

/// What is wrong with calls of primitives in a file, with its place. Names that the file itself gives a meaning are left alone.
pub fn wrong(ast: &AstModule, text: &str) -> Vec<(Span, String)> {
    let mut own: BTreeSet<String> = functions(text).into_iter().map(|function| function.name).collect();
    for load in ast.loads() {
        own.extend(load.symbols.keys().map(|name| (*name).to_owned()));
    }
    let statement = ast.statement();
    statement.visit_stmt(|inner| {
        if let StmtP::Def(def) = &inner.node {
            own.insert(def.name.ident.clone());
        }
    });
    let mut found = Vec::new();
    statement.visit_expr(|expression| look(expression, &own, &mut found));
    found
}

fn look(expression: &AstExpr, own: &BTreeSet<String>, found: &mut Vec<(Span, String)>) {
    if let Expr::Call(callee, given) = &expression.node
        && let Expr::Identifier(name) = &callee.node
        && !own.contains(&name.ident)
        && let Some(signature) = find(&name.ident)
    {
        compare(signature, callee.span, &given.args, found);
    }
    expression.visit_expr(|inner| look(inner, own, found));
}

fn compare(signature: &Signature, place: Span, given: &[AstArgument], found: &mut Vec<(Span, String)>) {
    let all: Vec<&str> = signature.required.iter().chain(signature.optional).copied().collect();
    let (mut by_place, mut by_name, mut is_open) = (0, BTreeSet::new(), false);
    for argument in given {
        match &argument.node {
            ArgumentP::Positional(_) => by_place += 1,
            ArgumentP::Named(name, _) => {
                by_name.insert(name.node.as_str());
                if !all.contains(&name.node.as_str()) {
                    let hint = suggest::hint(&name.node, all.iter().copied());
                    found.push((
                        name.span,
                        format!("{} has no argument '{}': {hint}", signature.name, name.node),
                    ));
                }
            }
            ArgumentP::Args(_) | ArgumentP::KwArgs(_) => is_open = true,
        }
    }
    if by_place > all.len() {
        let most = all.len();
        found
            .push((place, format!("{} takes {most} arguments at most, and gets {by_place}", signature.name)));
    }
    let missing = signature.required.iter().skip(by_place).find(|name| !by_name.contains(**name));
    if let Some(name) = missing.filter(|_| !is_open) {
        found.push((place, format!("{} needs '{name}'", signature.name)));
    }
}
