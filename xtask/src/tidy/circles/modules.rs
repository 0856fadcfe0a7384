//! A crate's modules as its source has them: what each defines, imports and names.
//!
//! Code of tests is left out. Names within a macro's call are found in its tokens, as nobody
//! expands it.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

/// A path that is written somewhere, such as `crate::wire::Problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

/// One name that a `use` brings in.
#[derive(Debug)]
pub(super) struct Import {
    /// What it is called here; none of a `*`.
    pub(super) name: Option<String>,
    pub(super) path: Named,
}

/// One module.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// Its name; `crate` of the root.
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    /// From the repository's root.
    pub(super) file: String,
    pub(super) children: Vec<usize>,
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    pub(super) names: Vec<Named>,
}

/// The modules of one crate; the first is its root.
#[derive(Debug, Default)]
pub(super) struct Modules(pub(super) Vec<Module>);

impl Modules {
    /// Reads a crate from its root's file on; `text_of` gives a file's text if there is one.
    pub(super) fn read<'a>(
        root: &str,
        text_of: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<Modules, String> {
        let mut modules = Modules::default();
        let text = text_of(root).ok_or_else(|| format!("{root}: there is no such file"))?;
        let folder = folder_of(root);
        modules.add("crate", None, root, text, folder, text_of)?;
        Ok(modules)
    }

    /// A file's module, with those below it. `folder` is where its children's files lie.
    fn add<'a>(
        &mut self,
        name: &str,
        parent: Option<usize>,
        file: &str,
        text: &str,
        folder: &str,
        text_of: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<(), String> {
        let parsed = syn::parse_file(text)
            .map_err(|error| format!("{file}:{}: {error}", error.span().start().line))?;
        if is_for_tests(&parsed.attrs) {
            return Ok(());
        }
        self.add_items(name, parent, file, &parsed.items, folder, text_of)
    }

    fn add_items<'a>(
        &mut self,
        name: &str,
        parent: Option<usize>,
        file: &str,
        items: &[Item],
        folder: &str,
        text_of: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<(), String> {
        let at = self.0.len();
        self.0.push(Module {
            name: name.to_owned(),
            parent,
            file: file.to_owned(),
            ..Module::default()
        });
        if let Some(parent) = parent {
            self.0[parent].children.push(at);
        }
        for item in items {
            Reader(&mut self.0[at]).visit_item(item);
            if let Some(name) = name_of(item) {
                self.0[at].items.insert(name);
            }
        }
        for item in items {
            let Item::Mod(module) = item else { continue };
            if is_for_tests(&module.attrs) {
                continue;
            }
            let name = plain(&module.ident);
            if let Some((_, items)) = &module.content {
                let below = format!("{folder}{name}/");
                self.add_items(&name, Some(at), file, items, &below, text_of)?;
                continue;
            }
            let places = match path_attribute(&module.attrs) {
                Some(path) => vec![format!("{}{path}", folder_of(file))],
                None => vec![
                    format!("{folder}{name}.rs"),
                    format!("{folder}{name}/mod.rs"),
                ],
            };
            let found = places
                .iter()
                .find_map(|place| text_of(place).map(|text| (place, text)));
            let (place, text) =
                found.ok_or_else(|| format!("{file}: the file of `mod {name}` is not found"))?;
            let below = if place.ends_with("/mod.rs") {
                folder_of(place).to_owned()
            } else {
                format!("{}/", place.trim_end_matches(".rs"))
            };
            self.add(&name, Some(at), place, text, &below, text_of)?;
        }
        Ok(())
    }
}

/// Where a part of a `use` begins.
fn line_of(tree: &UseTree) -> usize {
    let span = match tree {
        UseTree::Path(path) => path.ident.span(),
        UseTree::Name(name) => name.ident.span(),
        UseTree::Rename(rename) => rename.ident.span(),
        UseTree::Glob(glob) => glob.star_token.span,
        UseTree::Group(group) => group.brace_token.span.open(),
    };
    span.start().line
}

/// With the `/` at its end.
fn folder_of(file: &str) -> &str {
    file.rfind('/').map_or("", |at| &file[..=at])
}

/// Without the `r#` of a name that is a keyword, too.
fn plain(ident: &proc_macro2::Ident) -> String {
    let written = ident.to_string();
    written.strip_prefix("r#").unwrap_or(&written).to_owned()
}

/// What an item adds to its module's names.
fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        _ if is_for_tests(attributes(item)) => return None,
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(plain(ident))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, alone or as one of `all`, and `#[test]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => asks_for_test(list.tokens.clone()),
        _ => false,
    })
}

fn asks_for_test(condition: TokenStream) -> bool {
    let mut before = String::new();
    condition.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            before = ident.to_string();
            before == "test"
        }
        TokenTree::Group(group) => before == "all" && asks_for_test(group.stream()),
        _ => false,
    })
}

/// The file that `#[path = "..."]` names.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}

/// Collects what a module's own code imports and names.
struct Reader<'m>(&'m mut Module);

impl Reader<'_> {
    fn names(&mut self, segments: Vec<String>, line: usize) {
        if !segments.is_empty() {
            self.0.names.push(Named { segments, line });
        }
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String]) {
        let line = line_of(tree);
        let mut segments = prefix.to_vec();
        let name = match tree {
            UseTree::Path(path) => {
                segments.push(plain(&path.ident));
                return self.import(&path.tree, &segments);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix);
                }
                return;
            }
            UseTree::Glob(_) => None,
            UseTree::Name(name) => {
                let name = plain(&name.ident);
                if name != "self" {
                    segments.push(name);
                }
                segments.last().cloned()
            }
            UseTree::Rename(rename) => {
                let name = plain(&rename.ident);
                if name != "self" {
                    segments.push(name);
                }
                Some(plain(&rename.rename))
            }
        };
        let path = Named { segments, line };
        self.0.imports.push(Import { name, path });
    }

    /// Paths among tokens: names with `::` between them.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        // How many of the two colons stand behind the path as it is.
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.names(std::mem::take(&mut path), line);
                        line = ident.span().start().line;
                    }
                    path.push(plain(&ident));
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                }
                other => {
                    self.names(std::mem::take(&mut path), line);
                    colons = 0;
                    if let TokenTree::Group(group) = other
                        && group.delimiter() != Delimiter::None
                    {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.names(path, line);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        // A module of its own is read as one.
        if !is_for_tests(attributes(item)) && !matches!(item, Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !is_for_tests(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (None, Some(first)) = (&path.leading_colon, path.segments.first()) {
            let segments = path.segments.iter().map(|part| plain(&part.ident));
            self.names(segments.collect(), first.ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    /// `pub(super)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    /// Serde, for one, is given paths in strings.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            for token in list.tokens.clone() {
                if let TokenTree::Literal(literal) = token
                    && let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                    && let Ok(path) = text.parse::<syn::Path>()
                {
                    let segments = path.segments.iter().map(|part| plain(&part.ident));
                    self.names(segments.collect(), literal.span().start().line);
                }
            }
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}
