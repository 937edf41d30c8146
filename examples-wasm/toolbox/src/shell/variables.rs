//! Variables, and the scopes that `local` makes.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub struct Variable {
    /// None: it has a mark, but no value.
    pub value: Option<String>,
    pub exported: bool,
    pub readonly: bool,
}

/// A variable that must not be changed was to be.
#[derive(Debug, thiserror::Error)]
#[error("{0}: is read only")]
pub struct Readonly(String);

#[derive(Debug, Default)]
pub struct Variables {
    all: BTreeMap<String, Variable>,
    /// What each function that runs has hidden.
    scopes: Vec<Vec<(String, Option<Variable>)>>,
}

impl Variables {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.value.as_deref()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.all.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), Readonly> {
        let variable = self.all.entry(name.to_owned()).or_default();
        if variable.readonly {
            return Err(Readonly(name.to_owned()));
        }
        variable.value = Some(value.into());
        Ok(())
    }

    pub fn unset(&mut self, name: &str) -> Result<(), Readonly> {
        match self.all.get(name) {
            Some(variable) if variable.readonly => Err(Readonly(name.to_owned())),
            _ => {
                self.all.remove(name);
                Ok(())
            }
        }
    }

    pub fn export(&mut self, name: &str, exported: bool) {
        self.all.entry(name.to_owned()).or_default().exported = exported;
    }

    pub fn protect(&mut self, name: &str) {
        self.all.entry(name.to_owned()).or_default().readonly = true;
    }

    /// What programs are given.
    pub fn environment(&self) -> Vec<(String, String)> {
        let exported = self.all.iter().filter(|(_, variable)| variable.exported);
        exported.filter_map(|(name, variable)| Some((name.clone(), variable.value.clone()?))).collect()
    }

    /// A variable, which is gone then.
    pub fn take(&mut self, name: &str) -> Option<Variable> {
        self.all.remove(name)
    }

    /// Gives back what [`take`](Self::take) took.
    pub fn put(&mut self, name: &str, variable: Option<Variable>) {
        match variable {
            Some(variable) => self.all.insert(name.to_owned(), variable),
            None => self.all.remove(name),
        };
    }

    /// What is set from here on is undone by [`leave`](Self::leave), where it was made [`local`](Self::local).
    pub fn enter(&mut self) {
        self.scopes.push(Vec::new());
    }

    pub fn leave(&mut self) {
        for (name, before) in self.scopes.pop().unwrap_or_default().into_iter().rev() {
            match before {
                Some(variable) => self.all.insert(name, variable),
                None => self.all.remove(&name),
            };
        }
    }

    /// Hides a variable until the function returns; false: there is no function.
    pub fn local(&mut self, name: &str) -> bool {
        let Some(scope) = self.scopes.last_mut() else { return false };
        scope.push((name.to_owned(), self.all.get(name).cloned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_gives_back_what_it_hid() {
        let mut variables = Variables::default();
        variables.set("a", "1").unwrap();
        variables.enter();
        assert!(variables.local("a") && variables.local("b"));
        variables.set("a", "2").unwrap();
        variables.set("b", "3").unwrap();
        variables.set("c", "4").unwrap();
        variables.leave();
        assert_eq!((variables.get("a"), variables.get("b"), variables.get("c")), (Some("1"), None, Some("4")));
        assert!(!variables.local("a"));
    }

    #[test]
    fn what_is_protected_stays() {
        let mut variables = Variables::default();
        variables.set("a", "1").unwrap();
        variables.protect("a");
        assert!(variables.set("a", "2").is_err() && variables.unset("a").is_err());
        assert_eq!(variables.get("a"), Some("1"));
    }
}
