//! `#[derive(ByPlace)]`, for the structs of `praxis-entity`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Type, parse_macro_input};

/// Reads a row by the place of its columns, which come in the order of the fields.
#[proc_macro_derive(ByPlace)]
pub fn by_place(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expanded(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expanded(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    let name = &input.ident;
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(name, "only a struct is a row"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(name, "columns have names"));
    };
    let fields = fields.named.iter().enumerate().map(|(place, field)| {
        let (name, read) =
            (&field.ident, if is_option(&field.ty) { quote!(nullable) } else { quote!(value) });
        quote!(#name: crate::place::#read(row, first + #place)?)
    });
    Ok(quote! {
        impl crate::place::ByPlace for #name {
            fn at(row: &sea_orm::QueryResult, first: usize) -> Result<Self, sea_orm::DbErr> {
                Ok(Self { #(#fields),* })
            }
        }
    })
}

/// Whether a type is written as an `Option`.
fn is_option(field: &Type) -> bool {
    let Type::Path(path) = field else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}
